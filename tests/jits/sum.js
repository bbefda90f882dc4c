// SPDX-License-Identifier: MIT
// Sums the squares up to the number on standard input, modulo a prime.
function sum(n) {
  let s = 0;
  for (let i = 1; i <= n; i++)
    s = (s + i * i) % 1000003;
  return s;
}

const n = Number(require("fs").readFileSync(0, "utf8"));
console.log("sum", sum(n));
console.error("done");
process.exitCode = 7;
