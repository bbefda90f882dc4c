#lang racket/base
;; SPDX-License-Identifier: MIT
;; Sums the squares up to the number on standard input, modulo a prime.
(define (sum n)
  (let loop ([i 1] [s 0])
    (if (> i n)
        s
        (loop (+ i 1) (modulo (+ s (* i i)) 1000003)))))

(printf "sum ~a\n" (sum (read)))
(eprintf "done\n")
(exit 7)
