# SPDX-License-Identifier: MIT
# Sums the squares up to the number on standard input, modulo a prime.
import sys


def total(n):
    s = 0
    for i in range(1, n + 1):
        s = (s + i * i) % 1000003
    return s


print("sum", total(int(sys.stdin.readline())))
sys.stderr.write("done\n")
sys.exit(7)
