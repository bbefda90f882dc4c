// SPDX-License-Identifier: MIT
// Sums the squares up to the number on standard input, modulo a prime.
using System;

class Sum {
    static long Total(long n) {
        long s = 0;
        for (long i = 1; i <= n; i++)
            s = (s + i * i) % 1000003;
        return s;
    }

    static int Main() {
        Console.WriteLine("sum " + Total(long.Parse(Console.ReadLine())));
        Console.Error.WriteLine("done");
        return 7;
    }
}
