; SPDX-License-Identifier: MIT
;
; parts.asm - instructions that a compiler for Pebble and Brainfuck can do with.
;
;     nasm -f bin -o build/parts.bin -l build/parts.txt parts.asm
;
; lists in build/parts.txt the bytes of each. Add what else you need.

bits 64

mov rax, strict qword 7         ; an imm64
push rax
pop rax
pop rcx
ret
add rax, rcx
sub rax, rcx
imul rax, rcx
cqo                             ; rdx becomes the sign of rax
idiv rcx
neg rax
mov rax, [dword rdi + 8]        ; a disp32
mov [dword rdi + 8], rax
cmp rax, rcx
setl al                         ; less; then less or equal and so on
setle al
setg al
setge al
sete al
setne al
movzx eax, al
test rax, rax
jz strict near $                ; a rel32
jmp strict near $

mov rbx, rdi
add byte [rbx], 1
sub byte [rbx], 1
add rbx, 1
sub rbx, 1
cmp byte [rbx], 0
movzx edi, byte [rbx]
mov [rbx], al
push r12
pop r12
mov r12, rsi
call r12
