/* SPDX-License-Identifier: MIT */
/*
 * Budgets: what is too much is not watched, the trace says so, and the code is
 * shown all the same.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "observe/observe.h"
#include "support/support.h"

TestSuite(budget, .timeout = 60);

static bool has_limit(const struct store *store, const char *budget)
{
    const struct event *event;

    for (size_t i = 0; (event = nth(store, EVENT_LIMIT, i)) != NULL; i++)
        if (!strcmp(event->limit.budget, budget))
            return true;
    return false;
}

Test(budget, stores_are_watched_up_to_the_budget)
{
    struct result result;
    struct store store;

    trace(&(struct job){.argv = ARGS("--max-data-stores=100000", "--",
                                     TRACEE("stores"))},
          &store, &result);
    cr_assert(eq(str, (char *)buf_text(&result.out), "42 42\n"));
    cr_assert(
        eq(sz, count(&store, EVENT_WRITE), observe_default_budget.all_stores));
    cr_assert(eq(int, has_limit(&store, "all-stores"), 1));
    result_release(&result);
    store_release(&store);
}

Test(budget, code_is_shown_where_stores_were_not)
{
    static const uint8_t code[] = {0xb8, 42, 0, 0, 0, 0xc3};
    const struct event *enter;
    struct result result;
    struct store store;
    struct bytes all;

    trace(&(struct job){.argv = ARGS("--", TRACEE("stores"))}, &store, &result);
    cr_assert(eq(int, has_limit(&store, "length"), 1));
    for (size_t i = 0; i < 2; i++) {
        enter = nth(&store, EVENT_ENTER, i);
        cr_assert(ne(ptr, (void *)enter, NULL));
        all = enter->enter.code;
        cr_assert(ge(sz, all.len, sizeof code));
        cr_assert(
            eq(mem,
               ((struct cr_mem){all.data + all.len - sizeof code, sizeof code}),
               ((struct cr_mem){code, sizeof code})));
    }
    cr_assert(eq(sz, count(&store, EVENT_STEP), 4));
    result_release(&result);
    store_release(&store);
}

/* --- counting ------------------------------------------------------------- */

#define REGIONS  3
#define PAYMENTS 60

/* Every store there was, by region; and every step, by call. */
struct ledger {
    size_t regions[PAYMENTS], stores;
    size_t of_call[PAYMENTS], steps;
    size_t call, calls, system_calls;
};

static size_t count_of(const size_t *list, size_t count, size_t value)
{
    size_t found = 0;

    for (size_t i = 0; i < count; i++)
        found += list[i] == value;
    return found;
}

/* Of what is no code, each region alone is held to the same, up to 256. */
static bool is_code(size_t region)
{
    return region % 2;
}

static enum budget store_slowly(const struct observe_budget *budget,
                                struct ledger *ledger, size_t region)
{
    size_t of_region, of_data = 0;

    ledger->regions[ledger->stores++] = region;
    if (ledger->stores == budget->all_stores)
        return BUDGET_all_stores;
    of_region = count_of(ledger->regions, ledger->stores, region);
    if (of_region == budget->stores)
        return BUDGET_stores;
    for (size_t i = 0; i < REGIONS; i++)
        if (!is_code(i))
            of_data += count_of(ledger->regions, ledger->stores, i);
    if (!is_code(region) && of_data >= budget->data_stores &&
        of_region >= budget->data_stores)
        return BUDGET_data_stores;
    return BUDGETS;
}

static enum budget step_slowly(const struct observe_budget *budget,
                               struct ledger *ledger)
{
    ledger->of_call[ledger->steps++] = ledger->call;
    if (ledger->steps == budget->steps)
        return BUDGET_steps;
    if (count_of(ledger->of_call, ledger->steps, ledger->call) ==
        budget->call_steps)
        return BUDGET_call_steps;
    return BUDGETS;
}

static enum budget enter_slowly(const struct observe_budget *budget,
                                struct ledger *ledger)
{
    ledger->call++;
    return ++ledger->calls == budget->calls ? BUDGET_calls : BUDGETS;
}

/* One random payment, to both. */
static void pay(struct spending *spent, struct ledger *ledger,
                uint64_t *regions, uint64_t *of_call)
{
    const struct observe_budget *budget = &spent->max;
    size_t region = (size_t)rand() % REGIONS;

    switch (rand() % 5) {
    case 4:
        ledger->system_calls++;
        cr_assert(eq(int, (int)budget_pay_system_call(spent),
                     (int)(ledger->system_calls == budget->system_calls
                               ? BUDGET_system_calls
                               : BUDGETS)));
        break;
    case 0:
        *of_call = 0;
        cr_assert(eq(int, (int)budget_pay_call(spent),
                     (int)enter_slowly(budget, ledger)));
        break;
    case 1:
        cr_assert(
            eq(int,
               (int)budget_pay_store(spent, &regions[region], is_code(region)),
               (int)store_slowly(budget, ledger, region)));
        break;
    default:
        cr_assert(eq(int, (int)budget_pay_step(spent, of_call),
                     (int)step_slowly(budget, ledger)));
        break;
    }
    cr_assert(eq(int, budget_has_stores(spent),
                 budget->stores > 0 && ledger->stores < budget->all_stores &&
                     ledger->system_calls < budget->system_calls));
    cr_assert(eq(int, budget_has_steps(spent),
                 budget->call_steps > 0 && ledger->steps < budget->steps));
    cr_assert(eq(int, budget_has_calls(spent), ledger->calls < budget->calls));
}

Test(budget, payments_agree_with_a_ledger)
{
    srand(5);
    for (int round = 0; round < 2000; round++) {
        struct spending spent = {.max = observe_default_budget};
        uint64_t regions[REGIONS] = {0}, of_call = 0;
        struct ledger ledger = {0};

        for (enum budget i = 0; i < BUDGETS; i++)
            if (rand() % 4)
                *budget_value(&spent.max, i) = (uint64_t)(rand() % 12);
        for (int i = 0; i < PAYMENTS; i++)
            pay(&spent, &ledger, regions, &of_call);
    }
}

/* Byte by byte: the first N of them are recorded, and once it is told. */
Test(budget, output_agrees_with_a_byte_by_byte_model)
{
    srand(6);
    for (int round = 0; round < 2000; round++) {
        struct observe_budget budget = {.output = (uint64_t)(rand() % 50)};
        struct spending spent = {.max = budget};
        uint64_t written = 0;
        bool told = budget.output == 0;

        for (int i = 0; i < 20; i++) {
            uint64_t size = (uint64_t)(rand() % 12), taken = 0;
            bool cut = false;
            enum budget which;

            for (uint64_t byte = 0; byte < size; byte++)
                if (written < budget.output)
                    written++, taken++;
                else
                    cut = true;
            cr_assert(eq(u64, budget_pay_output(&spent, size, &which), taken));
            cr_assert(eq(int, which == BUDGET_output, cut && !told));
            told |= cut;
        }
    }
}

/* --- options -------------------------------------------------------------- */

/* Whether a line of the text begins with start and holds part. */
static bool has_line(const char *text, const char *start, const char *part)
{
    for (const char *line = text; line; line = strchr(line, '\n')) {
        struct bytes whole;

        line += *line == '\n';
        whole = (struct bytes){(const uint8_t *)line, strcspn(line, "\n")};
        if (!strncmp(line, start, strlen(start)) &&
            memmem(whole.data, whole.len, part, strlen(part)))
            return true;
    }
    return false;
}

/* The help and the page on limits name every option and its default. */
Test(budget, every_option_is_explained)
{
    struct observe_budget defaults = observe_default_budget;
    struct buf page = {0};
    struct result help;

    run(&(struct job){.argv = ARGS(JITTRACE, "--help")}, &help);
    read_file("docs/limits.md", &page);
    for (enum budget i = 0; i < BUDGETS; i++) {
        char start[64], value[64];

        snprintf(value, sizeof value, "(%" PRIu64 ")",
                 *budget_value(&defaults, i));
        snprintf(start, sizeof start, "      --max-%s=N ", budget_word(i));
        cr_assert(eq(int, has_line(buf_text(&help.out), start, value), 1), "%s",
                  start);
        snprintf(value, sizeof value, "| %" PRIu64 " |",
                 *budget_value(&defaults, i));
        snprintf(start, sizeof start, "| `--max-%s` |", budget_word(i));
        cr_assert(eq(int, has_line(buf_text(&page), start, value), 1), "%s",
                  start);
    }
    result_release(&help);
    buf_release(&page);
}

Test(budget, a_wrong_number_is_refused)
{
    static const char *const wrong[] = {
        "", "x", "1x", "-1", "+1", " 1", "0x10", "1.5", "18446744073709551616",
    };

    for (enum budget i = 0; i < BUDGETS; i++)
        for (size_t n = 0; n < sizeof wrong / sizeof *wrong; n++) {
            struct result result;
            char option[64];

            snprintf(option, sizeof option, "--max-%s=%s", budget_word(i),
                     wrong[n]);
            run(&(struct job){.argv = ARGS(JITTRACE, option)}, &result);
            cr_assert(eq(int, result.status, 64), "%s", option);
            cr_assert(contains(buf_text(&result.err),
                               "takes a whole number from 0 on, such as"),
                      "%s: %s", option, buf_text(&result.err));
            cr_assert(eq(sz, result.out.len, 0));
            result_release(&result);
        }
}

Test(budget, the_largest_number_is_taken)
{
    for (enum budget i = 0; i < BUDGETS; i++) {
        struct result result;
        char option[64];

        snprintf(option, sizeof option, "--max-%s=18446744073709551615",
                 budget_word(i));
        run(&(struct job){.argv = ARGS(JITTRACE, option, "1")}, &result);
        cr_assert(eq(int, result.status, 0), "%s", option);
        cr_assert(lacks(buf_text(&result.out), "Not watched"));
        result_release(&result);
    }
}

Test(budget, a_recording_has_none)
{
    struct result result;

    run(&(struct job){.argv = ARGS(JITTRACE, "--replay=/dev/null",
                                   "--max-steps=1")},
        &result);
    cr_assert(eq(int, result.status, 64));
    cr_assert(contains(buf_text(&result.err), "for a program that runs"));
    result_release(&result);
}

/* Each budget, when it is 0: what is not there then, and that it is said. */
Test(budget, nothing_at_all)
{
    static const struct {
        enum budget which;
        enum event_kind absent;
    } cases[] = {
        {BUDGET_stores, EVENT_WRITE},       {BUDGET_all_stores, EVENT_WRITE},
        {BUDGET_system_calls, EVENT_WRITE}, {BUDGET_length, EVENT_WRITE},
        {BUDGET_call_steps, EVENT_STEP},    {BUDGET_steps, EVENT_STEP},
        {BUDGET_calls, EVENT_ENTER},        {BUDGET_output, EVENT_OUTPUT},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *word = budget_word(cases[i].which);
        struct result result;
        struct store store;
        char option[64];

        snprintf(option, sizeof option, "--max-%s=0", word);
        trace(
            &(struct job){.argv = ARGS(option, "--", TRACEE("two_functions"))},
            &store, &result);
        cr_assert(eq(str, (char *)buf_text(&result.out), "41 10 41\n"));
        cr_assert(eq(sz, count(&store, cases[i].absent), 0), "%s", word);
        cr_assert(eq(int, has_limit(&store, word), 1), "%s", word);
        cr_assert(eq(int, count(&store, EVENT_ENTER) > 0,
                     cases[i].absent != EVENT_ENTER));
        result_release(&result);
        store_release(&store);
    }
}

/* The same end in words, and line by line. */
Test(budget, every_view_tells_the_limit)
{
    static const char *const views[][2] = {
        {"--format=text", "--color=never"},
        {"--step", "--plain"},
    };

    for (size_t i = 0; i < 2; i++) {
        struct result result;

        run(&(struct job){.argv =
                              ARGS(JITTRACE, views[i][0], views[i][1],
                                   "--max-call-steps=5", "--", TRACEE("rest"))},
            &result);
        cr_assert(eq(int, result.status, 0), "%s", buf_text(&result.err));
        cr_assert(contains(buf_text(&result.out), "5050"), "%s",
                  buf_text(&result.out));
        cr_assert(contains(buf_text(&result.out),
                           "5 instructions were stepped since this entry"),
                  "%s", buf_text(&result.out));
        result_release(&result);
    }
}

Test(budget, recorded_output_is_cut)
{
    struct result result;
    struct store store;

    trace(&(struct job){.argv = ARGS("--max-output=4", "--",
                                     TRACEE("two_functions"))},
          &store, &result);
    cr_assert(eq(str, (char *)buf_text(&result.out), "41 10 41\n"));
    cr_assert(eq(mem, mem_of(nth(&store, EVENT_OUTPUT, 0)->output.bytes),
                 mem("41 1", 4)));
    cr_assert(eq(sz, count(&store, EVENT_OUTPUT), 1));
    cr_assert(eq(int, has_limit(&store, "output"), 1));
    result_release(&result);
    store_release(&store);
}

/* --- what the program notices of it ---------------------------------------- */

static void compare_with(const char *option, const char *program)
{
    struct result with, without;
    struct store store;

    run(&(struct job){.argv = ARGS(program), .seconds = 60}, &without);
    trace(&(struct job){.argv = ARGS(option, "--", program), .seconds = 60},
          &store, &with);
    cr_assert(eq(int, with.status, without.status), "%s %s", option, program);
    cr_assert(
        eq(str, (char *)buf_text(&with.out), (char *)buf_text(&without.out)),
        "%s %s", option, program);
    check_registers(&store);
    result_release(&with);
    result_release(&without);
    store_release(&store);
}

/* Threads and children find guards that come and go more often than else. */
Test(budget, the_program_does_not_notice, .timeout = 240)
{
    static const char *const options[] = {
        "--max-steps=0", "--max-call-steps=1", "--max-steps=9",
        "--max-calls=7", "--max-stores=3",     "--max-all-stores=5",
    };
    static const char *const programs[] = {
        TRACEE("fork_threads"), TRACEE("workers"), TRACEE("threads"),
        TRACEE("fork"),         TRACEE("handler"),
    };

    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        for (size_t p = 0; p < sizeof programs / sizeof *programs; p++)
            compare_with(options[i], programs[p]);
}
