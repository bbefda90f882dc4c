<?php
// SPDX-License-Identifier: MIT
// Sums the squares up to the number on standard input, modulo a prime.
function sum($n) {
    $s = 0;
    for ($i = 1; $i <= $n; $i++)
        $s = ($s + $i * $i) % 1000003;
    return $s;
}

echo "sum ", sum((int)fgets(STDIN)), "\n";
fwrite(STDERR, "done\n");
exit(7);
