/* SPDX-License-Identifier: MIT */
/*
 * Moving in a trace: every command, what it says when it cannot, that any path
 * to an event leads to the same screen, and that a program which has to run
 * first is no other than a recording.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "observe/observe.h"
#include "step/session.h"
#include "trace/store.h"

TestSuite(session, .timeout = 60);

/* --- traces -------------------------------------------------------------- */

#define BASE 0x7f1234560000u
#define MAIN 0x401000u

/* The events of a small program of one function, made by hand:
 *
 *      0 start   1 map   2-4 write   5 protect   6 enter   7 mov   8 push
 *      9 leave  10 enter (rdi changed)  11 mov  12 leave  13 signal
 *     14 output 15 unmap 16 exit
 */
#define EVENTS 17u

static void add(struct store *store, struct event event)
{
    event.seq = store->count;
    event.tid = 7;
    store_append(store, &event);
}

static void add_writes(struct store *store)
{
    static const uint8_t code[] = {0x89, 0xf8, 0x57};

    for (unsigned i = 0; i < sizeof code; i++)
        add(store, (struct event){.kind = EVENT_WRITE,
                                  .write = {.addr = BASE + i,
                                            .offset = i,
                                            .old = {(uint8_t *)"", 1},
                                            .new = {&code[i], 1},
                                            .pc = MAIN + 4 * i,
                                            .text = "mov byte ptr [rax], 1"}});
}

static void add_call(struct store *store, uint64_t argument, bool push)
{
    static const uint8_t mov[] = {0x89, 0xf8}, pushed[8] = {2};
    struct reg_change rax = {X86_RAX, 1 + argument, argument};
    struct reg_change rsp = {X86_RSP, 0x7fff00001000, 0x7fff00000ff8};
    struct mem_access access = {.addr = 0x7fff00000ff8,
                                .new_bytes = {pushed, 8}};
    struct event enter = {.kind = EVENT_ENTER,
                          .enter = {.addr = BASE,
                                    .how = "call",
                                    .return_to = {true, MAIN + 0x80}}};

    enter.enter.regs.value[X86_RAX] = 1 + argument;
    enter.enter.regs.value[X86_RDI] = argument;
    enter.enter.regs.value[X86_RIP] = BASE;
    enter.enter.regs.value[X86_RSP] = 0x7fff00001000;
    add(store, enter);
    add(store, (struct event){.kind = EVENT_STEP,
                              .step = {.addr = BASE,
                                       .bytes = {mov, 2},
                                       .text = "mov eax, edi",
                                       .regs = {&rax, 1},
                                       .next = BASE + 2}});
    if (push)
        add(store, (struct event){.kind = EVENT_STEP,
                                  .step = {.addr = BASE + 2,
                                           .offset = 2,
                                           .bytes = {(uint8_t *)"W", 1},
                                           .text = "push rdi",
                                           .regs = {&rsp, 1},
                                           .writes = {&access, 1},
                                           .next = MAIN + 0x300}});
    add(store, (struct event){.kind = EVENT_LEAVE,
                              .leave = {.how = "jump", .to = MAIN + 0x300}});
}

static void add_end(struct store *store)
{
    add(store, (struct event){.kind = EVENT_SIGNAL,
                              .signal = {.number = SIGUSR1,
                                         .name = "SIGUSR1",
                                         .addr = {true, 0xdead},
                                         .pc = {true, 0xbeef}}});
    add(store,
        (struct event){.kind = EVENT_OUTPUT,
                       .output = {.fd = 1, .bytes = {(uint8_t *)"hi\n", 3}}});
    add(store, (struct event){.kind = EVENT_UNMAP,
                              .unmap = {.addr = BASE,
                                        .length = 4096,
                                        .call = "munmap(0x7f1234560000)"}});
    add(store,
        (struct event){.kind = EVENT_EXIT, .exit = {.status = {true, 5}}});
}

static void make_trace(struct store *store)
{
    const char *const argv[] = {"small"};

    *store = (struct store){0};
    add(store, (struct event){.kind = EVENT_START,
                              .start = {.format = TRACE_FORMAT,
                                        .arch = ARCH_NAME,
                                        .argv = {argv, 1},
                                        .exe = "/small",
                                        .pid = 7,
                                        .page_size = 4096,
                                        .entry = MAIN}});
    add(store, (struct event){.kind = EVENT_MAP,
                              .map = {.addr = BASE,
                                      .length = 4096,
                                      .prot = PROT_READ | PROT_WRITE,
                                      .flags = "MAP_PRIVATE",
                                      .backing = "anonymous",
                                      .call = "mmap(NULL, 4096)",
                                      .maps = "7f1234560000-7f1234561000"}});
    add_writes(store);
    add(store, (struct event){.kind = EVENT_PROTECT,
                              .protect = {.addr = BASE,
                                          .length = 4096,
                                          .old_prot = PROT_READ | PROT_WRITE,
                                          .prot = PROT_READ | PROT_EXEC,
                                          .call = "mprotect(...)",
                                          .maps = "7f1234560000-7f1234561"}});
    add_call(store, 1, true);
    add_call(store, 2, false);
    add_end(store);
    cr_assert(eq(sz, store->count, EVENTS));
}

/* A real one: the baby JIT adds -4. */
static struct source *start(void)
{
    char *argv[] = {BUILD_DIR "/lessons/06-babyjit/babyjit", "-4", NULL};
    int nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);
    struct launch launch = {.argv = argv,
                            .stdin_fd = nowhere,
                            .stdout_fd = nowhere,
                            .stderr_fd = nowhere};
    struct err err = {ERR_NONE, ""};
    struct source *source =
        observe_new(&launch, &observe_default_budget, NULL, &err);

    cr_assert(ne(ptr, source, NULL), "%s", err.text);
    close(nowhere);
    return source;
}

static void record(struct store *store)
{
    struct source *source = start();
    struct event event;
    struct err err;
    int more;

    *store = (struct store){0};
    while ((more = source_next(source, &event, &err)) > 0)
        store_append(store, &event);
    cr_assert(eq(int, more, 0));
    source_free(source);
}

/* --- a source ------------------------------------------------------------ */

/* Plays a store as a program does that has to run between its events. */
struct fake {
    struct source source;
    const struct store *store;
    size_t at;
    unsigned rest;    /* how often it is not ready before each event */
    unsigned rested;  /* how often it has not been since the last one */
    size_t fails_at;  /* fails in place of this event, if there are so many */
    bool fails_ready; /* and does so when asked whether it is ready */
};

static int fake_fail(struct err *err)
{
    return err_set(err, ERR_DATA, "the fake has failed");
}

static int fake_ready(struct source *source, struct err *err)
{
    struct fake *fake = (struct fake *)source;

    if (fake->fails_ready && fake->at == fake->fails_at)
        return fake_fail(err);
    if (fake->rested >= fake->rest)
        return 1;
    fake->rested++;
    return 0;
}

static int fake_next(struct source *source, struct event *event,
                     struct err *err)
{
    struct fake *fake = (struct fake *)source;

    cr_assert(eq(uint, fake->rested, fake->rest), "it was not ready");
    if (fake->at == fake->fails_at)
        return fake_fail(err);
    if (fake->at == fake->store->count)
        return 0;
    *event = *store_event(fake->store, fake->at++);
    fake->rested = 0;
    return 1;
}

static void fake_init(struct fake *fake, const struct store *store,
                      unsigned rest)
{
    *fake = (struct fake){
        .source = {.next = fake_next, .ready = rest ? fake_ready : NULL},
        .store = store,
        .rest = rest,
        .fails_at = SIZE_MAX,
    };
}

/* Until there is no goal. Returns how often the program had to run first. */
static unsigned settle(struct session *session)
{
    unsigned waited = 0;
    struct err err;

    while (session->goal != GOAL_NONE) {
        int more = session_advance(session, &err);

        cr_assert(ge(int, more, 0), "%s", err.text);
        waited += more == 0;
    }
    return waited;
}

/* A session that stands at the first event. */
static struct session *begin(struct fake *fake, const struct store *store,
                             unsigned rest)
{
    struct session *session;

    fake_init(fake, store, rest);
    session = session_new(&fake->source);
    settle(session);
    cr_assert(eq(u64, session->seq, 0));
    return session;
}

static void go(struct session *session, enum command command,
               const char *argument)
{
    cr_assert(eq(int, session_do(session, command, argument), 1));
    settle(session);
}

/* Does the command and expects that position, and that message. */
static void expect(struct session *session, enum command command,
                   const char *argument, uint64_t seq, const char *message)
{
    go(session, command, argument);
    cr_assert(eq(u64, session->seq, seq), "%s %s", command_table[command].word,
              argument ? argument : "");
    cr_assert(eq(str, (char *)buf_text(&session->message), (char *)message));
}

/* --- the table of commands ----------------------------------------------- */

Test(session, every_command_can_be_given)
{
    struct buf keys = {0};

    for (int i = 0; i < COMMANDS; i++) {
        enum command command = (enum command)i;
        const char *word = command_table[command].word;

        cr_assert(eq(int, command_of_word(word, strlen(word)), command), "%s",
                  word);
        buf_clear(&keys);
        command_keys(command, &keys);
        cr_assert(lt(sz, 0, keys.len), "%s has no key", word);
        cr_assert(lt(sz, 0, strlen(command_table[command].help)), "%s", word);
    }
    buf_release(&keys);
}

/* No letter and no key is two commands. */
Test(session, every_key_is_one_command)
{
    static const char *const letters[] = {
#define COMMAND(id, word, letters, keys, help) letters,
#include "screen/command.def"
    };
    static const unsigned keys[] = {
#define COMMAND(id, word, letters, keys, help) keys,
#include "screen/command.def"
    };

    for (int i = 0; i < COMMANDS; i++) {
        for (const char *c = letters[i]; *c; c++) {
            cr_assert(eq(int, command_of_letter(*c), i), "'%c'", *c);
            cr_assert(eq(int, command_of_word(c, 1), i), "'%c'", *c);
        }
        for (int key = 0; key < KEYS; key++)
            if (keys[i] & 1u << key)
                cr_assert(eq(int, command_of_key((enum key)key), i));
    }
    for (int key = 0; key < KEYS; key++)
        cr_assert(ne(int, command_of_key((enum key)key), COMMAND_NONE));
}

Test(session, what_is_no_command)
{
    cr_assert(eq(int, command_of_letter('\0'), COMMAND_NONE));
    cr_assert(eq(int, command_of_letter('N'), COMMAND_NONE));
    cr_assert(eq(int, command_of_letter('\t'), COMMAND_NONE));
    cr_assert(eq(int, command_of_word("nex", 3), COMMAND_NONE));
    cr_assert(eq(int, command_of_word("nextt", 5), COMMAND_NONE));
    cr_assert(eq(int, command_of_word("Next", 4), COMMAND_NONE));
    cr_assert(eq(int, command_of_word("next 3", 4), COMMAND_NEXT));
    cr_assert(eq(int, command_of_word("", 0), COMMAND_NONE));
}

Test(session, keys_for_a_reader)
{
    static const struct {
        enum command command;
        const char *keys;
    } expected[] = {
        {COMMAND_NEXT, "Enter, space, n, →"},
        {COMMAND_BACK, "b, ←"},
        {COMMAND_STAGE_NEXT, "]"},
        {COMMAND_FIRST, "Home"},
        {COMMAND_LAST, "End"},
        {COMMAND_HELP, "h, F1"},
    };
    struct buf keys = {0};

    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        buf_clear(&keys);
        command_keys(expected[i].command, &keys);
        cr_assert(eq(str, (char *)buf_text(&keys), (char *)expected[i].keys));
    }
    /* What is there already stays in front. */
    command_keys(COMMAND_BACK, &keys);
    cr_assert(eq(str, (char *)buf_text(&keys), "h, F1b, ←"));
    buf_release(&keys);
}

Test(session, what_is_asked_for)
{
    for (int i = 0; i < COMMANDS; i++)
        cr_assert(eq(int, command_table[i].question != NULL,
                     i == COMMAND_GOTO || i == COMMAND_LINE ||
                         i == COMMAND_SEARCH || i == COMMAND_SEARCH_BACK ||
                         i == COMMAND_CHANGED || i == COMMAND_WHO));
}

/* --- one command after the other ----------------------------------------- */

#define THE_END "the program has ended; go back (b) or quit (q)"

/* Everything once, with all events there and with a program that has to run. */
/* What is said depends on whether the program had to run for it. */
static const char *ran(struct session *session, const char *message)
{
    static char text[128];

    snprintf(text, sizeof text, "%s%s",
             history_count(session->history) < 17
                 ? "ran to the end (event 16); "
                 : "",
             message);
    return text;
}

static void each_move(struct session *session)
{
    expect(session, COMMAND_BACK, NULL, 0,
           "this is the first event; go on (n) or quit (q)");
    expect(session, COMMAND_STAGE_BACK, NULL, 0,
           "this is the first event; go on (n) or quit (q)");
    expect(session, COMMAND_NEXT, NULL, 1, "");
    expect(session, COMMAND_NEXT, NULL, 2, "");
    expect(session, COMMAND_BACK, NULL, 1, "");
    expect(session, COMMAND_FIRST, NULL, 0, "");
    expect(session, COMMAND_STAGE_NEXT, NULL, 1, "");
    expect(session, COMMAND_STAGE_NEXT, NULL, 2, "");
    expect(session, COMMAND_STAGE_NEXT, NULL, 5, "");
    expect(session, COMMAND_STAGE_NEXT, NULL, 6, "");
    expect(session, COMMAND_STAGE_BACK, NULL, 5, "");
    expect(session, COMMAND_STAGE_BACK, NULL, 2, "");
    expect(session, COMMAND_GOTO, "4", 4, "");
    expect(session, COMMAND_STAGE_BACK, NULL, 2, "");
    expect(session, COMMAND_GOTO, " 9 ", 9, "");
    expect(session, COMMAND_STAGE_BACK, NULL, 6, "");
    expect(session, COMMAND_GOTO, "0", 0, "");
    expect(session, COMMAND_SEARCH, "push", 8, "");
    expect(session, COMMAND_SEARCH, "mov", 11, "");
    expect(session, COMMAND_FIRST, NULL, 0, "");
    expect(session, COMMAND_SEARCH, "", 7, "");
    expect(session, COMMAND_SEARCH, NULL, 11, "");
    expect(session, COMMAND_SEARCH, "", 11,
           ran(session, "nothing after event 11 has 'mov'"));
    expect(session, COMMAND_STAGE_NEXT, NULL, 11,
           "there is no stage after this one");
    expect(session, COMMAND_GOTO, "17", 11,
           "there is no event 17; the last one is 16");
    expect(session, COMMAND_GOTO, "99999999999999999999999999", 11,
           "'99999999999999999999999999' is not the number of an event");
    expect(session, COMMAND_LAST, NULL, 16, "");
    expect(session, COMMAND_NEXT, NULL, 16, THE_END);
    expect(session, COMMAND_RUN, NULL, 16, THE_END);
    expect(session, COMMAND_BACK, NULL, 15, "");
    expect(session, COMMAND_RUN, NULL, 16, "");
}

Test(session, every_move)
{
    struct store store;
    struct fake fake;

    make_trace(&store);
    for (unsigned rest = 0; rest <= 3; rest++) {
        struct session *session = begin(&fake, &store, rest);

        each_move(session);
        session_free(session);
    }
    store_release(&store);
}

/* A recording that was loaded behaves as one that is read bit by bit. */
Test(session, a_loaded_recording)
{
    struct store store;
    struct session *session;
    struct fake fake;
    struct err err;

    make_trace(&store);
    fake_init(&fake, &store, 0);
    session = session_new(&fake.source);
    cr_assert(eq(int, session_load(session, &err), 0));
    cr_assert(eq(int, session->goal != GOAL_NONE, 0));
    cr_assert(eq(u64, session->seq, 0));
    cr_assert(eq(str, (char *)buf_text(&session->message), ""));
    cr_assert(eq(u64, history_count(session->history), EVENTS));
    cr_assert(eq(int, session_screen(session)->end, SCREEN_ENDED));
    expect(session, COMMAND_LAST, NULL, 16, "");
    expect(session, COMMAND_FIRST, NULL, 0, "");
    each_move(session);
    session_free(session);
    store_release(&store);
}

Test(session, last_is_the_last_so_far)
{
    struct store store;
    struct fake fake;
    struct session *session;

    make_trace(&store);
    session = begin(&fake, &store, 2);
    expect(session, COMMAND_LAST, NULL, 0, "");
    expect(session, COMMAND_GOTO, "5", 5, "");
    expect(session, COMMAND_FIRST, NULL, 0, "");
    expect(session, COMMAND_LAST, NULL, 5, "");
    cr_assert(eq(sz, fake.at, 6), "it was not asked for more");
    session_free(session);
    store_release(&store);
}

/* What is already recorded is never asked for again. */
Test(session, moving_back_lets_nothing_run)
{
    struct store store;
    struct fake fake;
    struct session *session;

    make_trace(&store);
    session = begin(&fake, &store, 1);
    go(session, COMMAND_GOTO, "10");
    for (int i = 10; i > 0; i--)
        expect(session, COMMAND_BACK, NULL, (uint64_t)i - 1, "");
    expect(session, COMMAND_SEARCH, "mov", 7, "");
    expect(session, COMMAND_STAGE_BACK, NULL, 6, "");
    expect(session, COMMAND_GOTO, "10", 10, "");
    cr_assert(eq(sz, fake.at, 11));
    expect(session, COMMAND_NEXT, NULL, 11, "");
    cr_assert(eq(sz, fake.at, 12));
    session_free(session);
    store_release(&store);
}

Test(session, numbers_that_are_none)
{
    static const char *const wrong[] = {"x",    "-1",  "+1", "1x",
                                        "0x10", "1 2", "1.5"};
    struct store store;
    struct fake fake;
    struct session *session;
    char message[64];

    make_trace(&store);
    session = begin(&fake, &store, 1);
    go(session, COMMAND_NEXT, NULL);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        snprintf(message, sizeof message, "'%s' is not the number of an event",
                 wrong[i]);
        expect(session, COMMAND_GOTO, wrong[i], 1, message);
    }
    expect(session, COMMAND_GOTO, "", 1, "goto takes the number of an event");
    expect(session, COMMAND_GOTO, "  ", 1, "goto takes the number of an event");
    expect(session, COMMAND_GOTO, NULL, 1, "goto takes the number of an event");
    expect(session, COMMAND_SEARCH, "", 1, "there is no search to repeat");
    cr_assert(eq(sz, fake.at, 2), "nothing had to run for that");
    session_free(session);
    store_release(&store);
}

Test(session, how_it_is_shown)
{
    struct store store;
    struct fake fake;
    struct session *session;
    struct screen *screen;

    make_trace(&store);
    session = begin(&fake, &store, 1);
    screen = session_screen(session);
    go(session, COMMAND_REGISTERS, NULL);
    go(session, COMMAND_BASE, NULL);
    cr_assert(eq(int, screen->all_registers && screen->decimal, 1));
    go(session, COMMAND_REGISTERS, NULL);
    go(session, COMMAND_BASE, NULL);
    cr_assert(eq(int, screen->all_registers || screen->decimal, 0));
    go(session, COMMAND_HELP, NULL);
    cr_assert(eq(int, screen->help, 1));
    go(session, COMMAND_HELP, NULL);
    cr_assert(eq(int, screen->help, 0));
    go(session, COMMAND_HELP, NULL);
    go(session, COMMAND_NEXT, NULL);
    cr_assert(eq(int, screen->help, 0), "what comes next closes it");
    cr_assert(eq(int, screen->end, SCREEN_PAUSED));
    go(session, COMMAND_RUN, NULL);
    cr_assert(eq(int, screen->end, SCREEN_ENDED));
    go(session, COMMAND_HELP, NULL);
    cr_assert(eq(int, session_do(session, COMMAND_QUIT, NULL), 1));
    cr_assert(eq(int, screen->help, 0), "of it only the help is quit");
    cr_assert(eq(int, session_do(session, COMMAND_QUIT, NULL), 0));
    session_free(session);
    store_release(&store);
}

/* --- while the program runs ---------------------------------------------- */

Test(session, a_program_that_has_to_run_first)
{
    struct store store;
    struct fake fake;
    struct session *session;
    struct err err;

    make_trace(&store);
    fake_init(&fake, &store, 3);
    session = session_new(&fake.source);
    cr_assert(eq(int, session->goal != GOAL_NONE, 1));
    cr_assert(eq(int, session_do(session, COMMAND_NEXT, NULL), 1),
              "there is nowhere to go yet");
    for (int i = 0; i < 3; i++)
        cr_assert(eq(int, session_advance(session, &err), 0));
    cr_assert(eq(int, session_advance(session, &err), 1));
    cr_assert(eq(int, session->goal != GOAL_NONE, 0));
    cr_assert(eq(int, session_advance(session, &err), 1), "nothing to do");
    cr_assert(eq(sz, fake.at, 1));

    cr_assert(eq(int, session_do(session, COMMAND_RUN, NULL), 1));
    cr_assert(eq(int, session_screen(session)->end, SCREEN_RUNNING));
    cr_assert(eq(uint, settle(session), 3 * (EVENTS - 1)));
    session_free(session);
    store_release(&store);
}

/* The position goes with the program, and an interrupt leaves it there. */
Test(session, an_interrupt)
{
    struct store store;
    struct fake fake;
    struct session *session;
    struct err err;

    make_trace(&store);
    session = begin(&fake, &store, 1);
    session_do(session, COMMAND_RUN, NULL);
    while (session->seq < 5)
        session_advance(session, &err);
    cr_assert(eq(int, session->goal != GOAL_NONE, 1));
    session_interrupt(session);
    cr_assert(eq(int, session->goal != GOAL_NONE, 0));
    cr_assert(eq(int, session_screen(session)->end, SCREEN_PAUSED));
    cr_assert(eq(u64, session->seq, 5));
    cr_assert(eq(str, (char *)buf_text(&session->message),
                 "stopped; event 5 is the last one so far"));
    session_interrupt(session);
    cr_assert(eq(u64, session->seq, 5));
    expect(session, COMMAND_NEXT, NULL, 6, "");

    /* A move is an interrupt, too, and then it is done. */
    session_do(session, COMMAND_GOTO, "12");
    while (session->seq < 8)
        session_advance(session, &err);
    expect(session, COMMAND_BACK, NULL, 7, "");
    expect(session, COMMAND_NEXT, NULL, 8, "");
    cr_assert(eq(sz, fake.at, 9));
    session_free(session);
    store_release(&store);
}

/* What is shown how can be changed meanwhile. */
Test(session, no_interrupt)
{
    struct store store;
    struct fake fake;
    struct session *session;

    make_trace(&store);
    session = begin(&fake, &store, 1);
    session_do(session, COMMAND_GOTO, "9");
    session_do(session, COMMAND_REGISTERS, NULL);
    session_do(session, COMMAND_HELP, NULL);
    session_do(session, COMMAND_BASE, NULL);
    settle(session);
    cr_assert(eq(u64, session->seq, 9));
    session_free(session);
    store_release(&store);
}

/* --- the end of what there is -------------------------------------------- */

Test(session, an_exit_status)
{
    struct store store;
    struct fake fake;
    struct session *session;

    make_trace(&store);
    session = begin(&fake, &store, 1);
    cr_assert(eq(int, session->exited, 0));
    go(session, COMMAND_RUN, NULL);
    go(session, COMMAND_FIRST, NULL);
    cr_assert(eq(int, session->exited, 1));
    cr_assert(eq(int, session->status, 5));
    session_free(session);
    store_release(&store);

    store = (struct store){0};
    add(&store,
        (struct event){.kind = EVENT_EXIT, .exit = {.signal = {true, 11}}});
    session = begin(&fake, &store, 1);
    cr_assert(eq(int, session->exited, 1));
    cr_assert(eq(int, session->status, 128 + 11));
    session_free(session);
    store_release(&store);
}

/* Where nothing can come, nothing is waited for. */
Test(session, no_goal_behind_the_end)
{
    static const enum command moves[] = {COMMAND_NEXT, COMMAND_STAGE_NEXT,
                                         COMMAND_RUN, COMMAND_SEARCH};
    struct store store;
    struct fake fake;
    struct session *session;

    make_trace(&store);
    session = begin(&fake, &store, 1);
    go(session, COMMAND_RUN, NULL);
    for (size_t i = 0; i < sizeof moves / sizeof *moves; i++) {
        session_do(session, moves[i], "x");
        cr_assert(eq(int, session->goal != GOAL_NONE, 0));
        cr_assert(lt(sz, 0, strlen(buf_text(&session->message))));
    }
    session_do(session, COMMAND_GOTO, "99");
    cr_assert(eq(int, session->goal != GOAL_NONE, 0));
    session_free(session);
    store_release(&store);
}

/* Events that end without an exit event. */
Test(session, a_trace_that_just_ends)
{
    static const char the_end[] =
        "the recording ends here; go back (b) or quit (q)";
    struct store store;
    struct fake fake;
    struct session *session;

    store = (struct store){0};
    add_writes(&store);
    session = begin(&fake, &store, 1);
    expect(session, COMMAND_RUN, NULL, 2, the_end);
    expect(session, COMMAND_NEXT, NULL, 2, the_end);
    expect(session, COMMAND_BACK, NULL, 1, "");
    expect(session, COMMAND_NEXT, NULL, 2, "");
    cr_assert(eq(int, session->exited, 0));
    session_free(session);
    store_release(&store);
}

Test(session, no_events_at_all)
{
    struct store store;
    struct fake fake;
    struct session *session;

    store = (struct store){0};
    fake_init(&fake, &store, 1);
    session = session_new(&fake.source);
    settle(session);
    cr_assert(eq(u64, history_count(session->history), 0));
    go(session, COMMAND_NEXT, NULL);
    go(session, COMMAND_SEARCH, "x");
    session_free(session);
    store_release(&store);
}

static void failing(const struct store *store, size_t fails_at, bool ready)
{
    struct err err = {ERR_NONE, ""};
    struct session *session;
    struct fake fake;
    int more;

    fake_init(&fake, store, 1);
    fake.fails_at = fails_at;
    fake.fails_ready = ready;
    session = session_new(&fake.source);
    while ((more = session_advance(session, &err)) >= 0)
        if (session->goal == GOAL_NONE)
            session_do(session, COMMAND_RUN, NULL);
    cr_assert(eq(str, err.text, "the fake has failed"));
    cr_assert(eq(int, session->goal != GOAL_NONE, 0));
    cr_assert(eq(u64, history_count(session->history), fails_at));
    if (fails_at > 3)
        expect(session, COMMAND_GOTO, "3", 3, "");
    session_free(session);

    fake_init(&fake, store, 0);
    fake.fails_at = fails_at;
    session = session_new(&fake.source);
    cr_assert(eq(int, session_load(session, &err), -1));
    session_free(session);
}

Test(session, a_source_that_fails)
{
    struct store store;

    make_trace(&store);
    for (size_t i = 0; i < EVENTS; i++) {
        failing(&store, i, false);
        failing(&store, i, true);
    }
    store_release(&store);
}

/* What stands behind the end of a recording must be sound as well. */
Test(session, a_recording_that_is_damaged_behind_its_end)
{
    struct store store;
    struct session *session;
    struct fake fake;
    struct err err;

    make_trace(&store);
    fake_init(&fake, &store, 0);
    fake.fails_at = EVENTS;
    session = session_new(&fake.source);
    cr_assert(eq(int, session_load(session, &err), -1));
    session_free(session);
    store_release(&store);
}

/* --- searching ----------------------------------------------------------- */

/* Which events a search finds, one after the other: "7 11". */
static void expect_found(const char *text, const char *expected)
{
    struct buf found = {0};
    struct store store;
    struct fake fake;
    struct session *session;
    uint64_t seq;

    make_trace(&store);
    session = begin(&fake, &store, 1);
    do {
        seq = session->seq;
        go(session, COMMAND_SEARCH, seq == 0 ? text : "");
        if (session->seq != seq)
            buf_printf(&found, "%s%" PRIu64, found.len ? " " : "",
                       session->seq);
    } while (session->seq != seq);
    cr_assert(eq(str, (char *)buf_text(&found), (char *)expected), "%s", text);
    buf_release(&found);
    session_free(session);
    store_release(&store);
}

Test(session, searching_for_an_address)
{
    expect_found("0x7f1234560000", "1 2 5 6 7 10 11 15");
    expect_found("0x7F1234560001", "1 3 5 7 11 15"); /* inside of mov */
    expect_found("0x7f1234560002", "1 4 5 8 15");
    expect_found("0x7f1234560fff", "1 5 15");
    expect_found("0x7f1234561000", "");
    expect_found("0x7f123455ffff", "");
    expect_found("  0x401004\t", "3");  /* which stored */
    expect_found("0x401080", "6 10");   /* where it returns to */
    expect_found("0x401300", "8 9 12"); /* where it goes */
    expect_found("0x7fff00000ff8", "8");
    expect_found("0x7fff00000fff", "8");
    expect_found("0x7fff00001000", "");
    expect_found("0xdead", "13");
    expect_found("0xbeef", "13");
    expect_found("0x10000000000000000", ""); /* of no 64-bit machine */
}

Test(session, searching_for_a_register)
{
    expect_found("rax", "6 7 10 11");
    expect_found("EAX", "6 7 10 11");
    expect_found("al", "6 7 10 11");
    expect_found("rsp", "6 8 10");
    expect_found("rdi", "6 10"); /* it has changed outside */
    expect_found("rip", "6 7 8 10 11");
    expect_found("rbx", "6"); /* where registers are known first */
}

Test(session, searching_for_words)
{
    expect_found("mov", "7 11"); /* not the program's own */
    expect_found("MOV EAX", "7 11");
    expect_found("push rdi", "8");
    expect_found("us", ""); /* begins no word */
    expect_found("ov", "");
    expect_found(", edi", "7 11");
    expect_found("mmap", "1");
    expect_found("munmap", "15");
    expect_found("mprotect", "5");
    expect_found("sigusr1", "13");
    expect_found("nowhere", "");
    expect_found("0xzz", "");
}

Test(session, searching_for_bytes_and_flags)
{
    expect_found("7f1234560002", "1 4 5 8 15");
    expect_found("code[2]", "4 8");
    expect_found("code[x]", "");
}

/* --- any path ------------------------------------------------------------ */

static uint32_t roll(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u; /* Numerical Recipes, 7.1 */
    return *state >> 8;
}

static void random_move(struct session *session, uint32_t *dice)
{
    static const char *const searches[] = {"rax", "ret", "add", "", "none"};
    char number[16];

    snprintf(number, sizeof number, "%u", (unsigned)(roll(dice) % 34));
    switch (roll(dice) % 12) {
    case 0:
        go(session, COMMAND_GOTO, number);
        break;
    case 1:
        go(session, COMMAND_SEARCH, searches[roll(dice) % 5]);
        break;
    case 2:
        go(session, roll(dice) % 4 ? COMMAND_STAGE_NEXT : COMMAND_RUN, NULL);
        break;
    case 3:
        go(session, COMMAND_STAGE_BACK, NULL);
        break;
    case 4:
        go(session, roll(dice) % 2 ? COMMAND_FIRST : COMMAND_LAST, NULL);
        break;
    case 5:
        go(session, COMMAND_REGISTERS, NULL);
        break;
    case 6:
        go(session, COMMAND_BASE, NULL);
        break;
    case 7:
    case 8:
        go(session, COMMAND_BACK, NULL);
        break;
    default:
        go(session, COMMAND_NEXT, NULL);
        break;
    }
}

static void draw(struct session *session, unsigned rows, unsigned columns,
                 struct grid *grid)
{
    grid_init(grid, rows, columns);
    screen_draw(session_screen(session), session->history, session->seq, grid);
}

/* Another session that sees as much goes straight there. */
static void expect_same_as_straight(struct session *session,
                                    const struct store *store, uint32_t *dice)
{
    static const unsigned sizes[][2] = {{24, 80}, {20, 40}, {60, 200}, {5, 10}};
    const unsigned *size = sizes[roll(dice) % 4];
    struct grid got, straight;
    struct session *other;
    struct fake fake;
    char number[16];

    other = begin(&fake, store, 0);
    snprintf(number, sizeof number, "%" PRIu64,
             history_count(session->history) - 1);
    go(other, COMMAND_GOTO, number);
    snprintf(number, sizeof number, "%" PRIu64, session->seq);
    go(other, COMMAND_GOTO, number);
    cr_assert(eq(u64, other->seq, session->seq));
    *session_screen(other) = *session_screen(session);
    draw(session, size[0], size[1], &got);
    draw(other, size[0], size[1], &straight);
    cr_assert(eq(int, grid_equal(&got, &straight), 1), "event %s", number);
    grid_release(&got);
    grid_release(&straight);
    session_free(other);
}

Test(session, any_path_shows_the_same)
{
    uint32_t dice = 20240229;
    struct store store;

    record(&store);
    for (int path = 0; path < 300; path++) {
        struct fake fake;
        struct session *session = begin(&fake, &store, roll(&dice) % 3);
        unsigned moves = 1 + roll(&dice) % 40;

        while (moves-- > 0)
            random_move(session, &dice);
        expect_same_as_straight(session, &store, &dice);
        session_free(session);
    }
    store_release(&store);
}

/* With a program that runs, and stands still between two moves. */
Test(session, a_program_shows_what_its_recording_shows)
{
    uint32_t dice = 4711;

    for (int path = 0; path < 20; path++) {
        struct source *source = start();
        struct session *session = session_new(source);
        struct history *history = session->history;
        unsigned moves = 1 + roll(&dice) % 40;
        struct store store;

        for (settle(session); moves > 0; moves--) {
            random_move(session, &dice);
            observe_pause(source);
        }
        store = (struct store){0};
        for (uint64_t i = 0; i < history_count(history); i++)
            store_append(&store, history_event(history, i));
        expect_same_as_straight(session, &store, &dice);
        store_release(&store);
        session_free(session);
        source_free(source);
    }
}
