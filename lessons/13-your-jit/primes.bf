primes in Brainfuck

Puts out the primes from 2 up to the code of one character of input: d is 100
Each number is divided by each smaller one but 1: the number is counted down
and the divisor beside it; where the divisor comes to 0 it starts again; where
both come to 0 at once the first can be divided by the second

The cells:  how far   number   divisor less 1   divisor   two counters
            (two for tests)   both at 0   divisors found   (two for tests)
            (for copies)   three digits   steps to the next ten (two for
            tests)   steps to the next hundred (two for tests)   newline

A test for 0 sets the cell behind it to 1; what stands between the brackets
behind that runs only if the cell is 0

,                                         how far
->+                                       the number is 1
>>>>>>>>>>>++++++++++++                   12 times
[->++++>++++>++++<<<]                     three digits: each is 48
number 001 and 9 steps to the next ten and 10 more to the hundred and a newline
>>>+>+++++++++>>>++++++++++>>>++++++++++
<<<<<<<<<<<<<<<<<<<<<<[-                  each number
  >+>>>>>>>>>>>>>>+                       the next
  ten of them: ones are 0 again and the tens one more
  >->+<[>-]>[-<++++++++++<----------<+
    the same for the tens
    >>>>>->+<[>-]>[-<++++++++++<<<<<----------<+>>>>>>>>]
  <<<<>]
  divisors: from the number less 1 down to 2
  <<<<<<<<<<<<<<<<<[->+>>>>>>>>>>+<<<<<<<<<<<]>>>>>>>>>>>[-<<<<<<<<<<<+>>>>>
  >>>>>>]<<<<<<<<<<--
  [                                       each divisor less 1
    the divisor
    [->+>>>>>>>>>+<<<<<<<<<<]>>>>>>>>>>[-<<<<<<<<<<+>>>>>>>>>>]<<<<<<<<<+
    count the number down
    <<[->>>+>>>>>>>>+<<<<<<<<<<<]>>>>>>>>>>>[-<<<<<<<<<<<+>>>>>>>>>>>]
    and the divisor
    <<<<<<<<<[->>+>>>>>>>+<<<<<<<<<]>>>>>>>>>[-<<<<<<<<<+>>>>>>>>>]
    <<<<<<<<[-
      >>>>[-]<<+<-                        one off from both; not divided yet
      [>-]>[->>+                          the divisor is at 0
        so it starts again
        <<<<<[->>+>>>>>>>+<<<<<<<<<]>>>>>>>>>[-<<<<<<<<<+>>>>>>>>>]<<<<<<
      >]
    <<<]
    >>>>[->+<]                            both at 0: it divides the number
  <<<<<[-]>>[-]<<<-]                      the next divisor
  >>>>>>>>+<[>-]>[-                       no divisor: a prime
    >>>.>.>.>>>>>>>.<<<<<<<<<<<<>]        put out its digits
<<[-]<<<<<<<<<]                           the next number
