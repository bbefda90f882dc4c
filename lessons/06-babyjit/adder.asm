; SPDX-License-Identifier: MIT
;
; adder.asm - the function that babyjit.c makes, written for an assembler.
;
;     nasm -f bin -DTERM=-4 -o adder.bin adder.asm && xxd -g1 adder.bin
;
; Its 11 bytes are the ones that `babyjit -4` stores in its page.

bits 64                         ; -f bin assembles for 16 bits otherwise

%ifndef TERM
%define TERM 1
%endif

; [adder]
adder:
    ; An assembler may choose a shorter form for a small number. `strict dword`
    ; asks for the one that holds all 32 bits, whatever the number is.
    mov rax, strict dword TERM  ; 48 c7 c0 imm32
    add rax, rdi                ; 48 01 f8
    ret                         ; c3
; [/adder]
