-- SPDX-License-Identifier: MIT
--
-- real-jit.lua - a loop for LuaJIT, which makes machine code of it.
--
--     luajit lessons/12-real-jit/real-jit.lua N
--
-- adds up the numbers from 1 to N. Those above 100 are subtracted instead.

local n = tonumber(arg[1])

-- [loop]
local sum = 0
for i = 1, n do
    if i <= 100 then
        sum = sum + i
    else
        sum = sum - i
    end
end
-- [/loop]
print(sum)
