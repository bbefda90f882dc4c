/* SPDX-License-Identifier: MIT */
#include "observe/report.h"

#include "base/mem.h"
#include "target/registers.h"

void report_event(struct report *report, struct event *event)
{
    event->seq = report->seq++;
    if (event->source.file && event->source.text)
        files_excerpt(lines_files(report->lines), &event->source);
    report->queue = mem_grow(report->queue, report->first + report->count,
                             &report->capacity, sizeof *report->queue);
    report->queue[report->first + report->count++] = event_copy(event);
}

void report_source(const struct report *report, struct tracee *tracee,
                   struct srcline *out)
{
    struct regs regs;

    *out = (struct srcline){0};
    if (tracee_fetch(tracee) < 0)
        return;
    tracee_regs(tracee, &regs);
    lines_find_caller(report->lines, &regs, out);
}

struct event *report_take(struct report *report)
{
    if (report->count == 0)
        return NULL;
    report->count--;
    return report->queue[report->first++];
}
