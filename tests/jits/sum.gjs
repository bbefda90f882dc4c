// SPDX-License-Identifier: MIT
// Sums the squares up to the number on standard input, modulo a prime.
const {Gio} = imports.gi;

function sum(n) {
  let s = 0;
  for (let i = 1; i <= n; i++)
    s = (s + i * i) % 1000003;
  return s;
}

const input = new Gio.DataInputStream({
  base_stream: new Gio.UnixInputStream({fd: 0}),
});
print("sum", sum(Number(String.fromCharCode(...input.read_line(null)[0]))));
printerr("done");
imports.system.exit(7);
