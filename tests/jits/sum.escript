#!/usr/bin/env escript
%% SPDX-License-Identifier: MIT
%% Sums the squares up to the number on standard input, modulo a prime.
-mode(compile).

sum(0, S) -> S;
sum(N, S) -> sum(N - 1, (S + N * N) rem 1000003).

main(_) ->
    {ok, [N]} = io:fread("", "~d"),
    io:format("sum ~p~n", [sum(N, 0)]),
    io:format(standard_error, "done~n", []),
    halt(7).
