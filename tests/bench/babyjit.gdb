# SPDX-License-Identifier: MIT
#
# What jittrace shows of the baby JIT, as far as a debugger's script can: the
# page that mmap returns, the stores into it, its bytes when mprotect has made it
# executable, and in each of the three calls the registers before and after every
# instruction. A watchpoint stops only when a value changes: the three zeros of
# the term 1 are missed.
#
# To be run as: gdb -nx -batch -x babyjit.gdb --args babyjit 1
set pagination off
set confirm off
set debuginfod enabled off

break main
run

# A catchpoint stops twice, at the entry and at the exit of the call.
tcatch syscall mmap
continue
stepi
set $page = $rax
printf "mmap gave %#lx\n", $page

watch -location *(long *)$page
watch -location *(long *)($page + 8)
set $store = 0
while $store < 8
  continue
  info line *$pc
  set $store = $store + 1
end
delete

tcatch syscall mprotect
continue
stepi
x/11xb $page

break *$page
set $call = 0
while $call < 3
  continue
  info registers
  set $step = 0
  while $step < 3
    stepi
    info registers
    set $step = $step + 1
  end
  set $call = $call + 1
end
continue
