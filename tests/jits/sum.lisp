;; SPDX-License-Identifier: MIT
;; Sums the squares up to the number on standard input, modulo a prime.
(defun sum (n)
  (let ((s 0))
    (loop for i from 1 to n do (setf s (mod (+ s (* i i)) 1000003)))
    s))

(format t "sum ~a~%" (sum (read)))
(finish-output)
(format *error-output* "done~%")
(finish-output *error-output*)
(sb-ext:exit :code 7 :abort t)
