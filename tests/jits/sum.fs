\ SPDX-License-Identifier: MIT
\ Sums the squares up to the number on standard input, modulo a prime.
: sum ( n -- s )  0 swap 1+ 1 do  i i * + 1000003 mod  loop ;

pad 80 stdin read-line throw drop pad swap evaluate
." sum " sum . cr
s" done" stderr write-line throw
7 (bye)
