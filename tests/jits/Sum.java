// SPDX-License-Identifier: MIT
// Sums the squares up to the number on standard input, modulo a prime.
public class Sum {
    static long sum(long n) {
        long s = 0;
        for (long i = 1; i <= n; i++)
            s = (s + i * i) % 1000003;
        return s;
    }

    public static void main(String[] args) throws java.io.IOException {
        String line = new String(System.in.readAllBytes()).trim();
        System.out.println("sum " + sum(Long.parseLong(line)));
        System.err.println("done");
        System.exit(7);
    }
}
