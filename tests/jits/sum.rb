# SPDX-License-Identifier: MIT
# Sums the squares up to the number on standard input, modulo a prime.
def add(s, i)
  (s + i * i) % 1000003
end

n = gets.to_i
s = 0
i = 1
while i <= n
  s = add(s, i)
  i += 1
end
puts "sum #{s}"
$stderr.puts "done"
exit 7
