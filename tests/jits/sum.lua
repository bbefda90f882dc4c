-- SPDX-License-Identifier: MIT
-- Sums the squares up to the number on standard input, modulo a prime.
local function sum(n)
    local s = 0
    for i = 1, n do
        s = (s + i * i) % 1000003
    end
    return s
end

local n = tonumber(io.read("*l"))
print("sum " .. sum(n))
io.stderr:write("done\n")
os.exit(7)
