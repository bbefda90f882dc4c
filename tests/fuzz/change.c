/* SPDX-License-Identifier: MIT */
/*
 * change.c - another recording, made of one.
 *
 * Bytes changed at random are hardly ever a recording. So one is changed as the
 * list of objects that it is: an event goes, comes twice or moves, a field goes
 * or has another value. What is no list of objects is changed as bytes.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "fuzz.h"

static const char *const texts[] = {
    "",
    "0x0",
    "0xfff",
    "0x1000",
    "0x10000",
    "0x7fffffffffff",
    "0xffffffffffffffff",
    "0xfffffffffffff000",
    "00",
    "c3",
    "ffffffffffffffffffffffffffffff",
    "---",
    "rwx",
    "call",
    "jump",
    "return",
    "signal",
    "elsewhere",
    "steps",
    "call-steps",
    "mmap(",
    "mmap(NULL, 1",
    "MAP_PRIVATE|MAP_ANONYMOUS",
    "|||",
    "anonymous",
    "heap",
    "/",
    "read",
    "write",
    "execute",
    "\xe2\x80\xae\xc2\x9b\x1b[31m\t\n\x7f",
    "\xd8\x9c\xe2\x81\xa6",
    "1-2",
    "7f0000000000-ffffffffffffffff rwxp",
    "mov rax, -4",
    "a+0x",
    "libc.so.6:memcpy+0x12",
};

static const json_int_t numbers[] = {-1,
                                     0,
                                     1,
                                     2,
                                     9,
                                     11,
                                     64,
                                     65,
                                     255,
                                     4096,
                                     2147483647,
                                     2147483648,
                                     9007199254740991};

/* What stands at a random place of the value, or a new value in its place. */
static json_t *other_value(unsigned *seed, const json_t *value)
{
    size_t many = sizeof texts / sizeof *texts;
    size_t count = sizeof numbers / sizeof *numbers;
    const char *text;
    json_t *other;

    if (json_is_integer(value) && rand_r(seed) % 8)
        return rand_r(seed) % 2
                   ? json_integer(numbers[(size_t)rand_r(seed) % count])
                   : json_integer(json_integer_value(value) + rand_r(seed) % 9 -
                                  4);
    if (!json_is_string(value) || rand_r(seed) % 3 == 0)
        return json_string(texts[(size_t)rand_r(seed) % many]);
    text = json_string_value(value);
    if (*text && rand_r(seed) % 2) { /* another character */
        char *copy = mem_copy_text(text);

        copy[(size_t)rand_r(seed) % strlen(copy)] =
            "0123456789abcdefx+-|,( /"[rand_r(seed) % 24];
        other = json_string(copy);
        free(copy);
        return other ? other : json_string("");
    }
    return json_stringn(text, (size_t)rand_r(seed) % (strlen(text) + 1));
}

static void change_object(unsigned *seed, json_t *object)
{
    size_t count = json_object_size(object), at;
    const char *key;
    json_t *value;
    void *each;

    if (count == 0)
        return;
    each = json_object_iter(object);
    for (at = (size_t)rand_r(seed) % count; at > 0; at--)
        each = json_object_iter_next(object, each);
    key = json_object_iter_key(each);
    value = json_object_iter_value(each);
    if (json_is_object(value) && rand_r(seed) % 4) {
        change_object(seed, value);
    } else if (json_is_array(value) && json_array_size(value) &&
               rand_r(seed) % 4) {
        at = (size_t)rand_r(seed) % json_array_size(value);
        if (json_is_object(json_array_get(value, at)))
            change_object(seed, json_array_get(value, at));
        else
            json_array_set_new(value, at,
                               other_value(seed, json_array_get(value, at)));
    } else if (rand_r(seed) % 2) {
        json_object_del(object, key);
    } else {
        json_t *other = other_value(seed, value);

        if (other)
            json_object_set_new(object, key, other);
    }
}

static void change_list(unsigned *seed, json_t *list)
{
    size_t count = json_array_size(list);
    size_t from = (size_t)rand_r(seed) % count;
    size_t to = (size_t)rand_r(seed) % count;

    switch (rand_r(seed) % 8) {
    case 0:
        json_array_remove(list, from);
        break;
    case 1:
        json_array_insert_new(list, to,
                              json_deep_copy(json_array_get(list, from)));
        break;
    case 2:
        while (count > 3 && json_array_size(list) > to + 1)
            json_array_remove(list, json_array_size(list) - 2);
        break;
    default:
        change_object(seed, json_array_get(list, from));
    }
}

/* The lines that are objects. */
static json_t *list_of(const uint8_t *data, size_t size)
{
    json_t *list = json_array();

    while (size > 0) {
        const uint8_t *end = memchr(data, '\n', size);
        size_t len = end ? (size_t)(end - data) : size;
        json_t *object =
            json_loadb((const char *)data, len, JSON_REJECT_DUPLICATES, NULL);

        if (json_is_object(object))
            json_array_append_new(list, object);
        else
            json_decref(object);
        data += len + (end != NULL);
        size -= len + (end != NULL);
    }
    return list;
}

static size_t write_list(const json_t *list, uint8_t *data, size_t most)
{
    size_t used = 0, index;
    json_t *object;

    json_array_foreach(list, index, object)
    {
        size_t len;

        if (json_object_get(object, "seq"))
            json_object_set_new(object, "seq", json_integer((long)index));
        len =
            json_dumpb(object, (char *)data + used, most - used, JSON_COMPACT);
        if (len + 1 > most - used)
            break;
        used += len;
        data[used++] = '\n';
    }
    return used;
}

size_t fuzz_change_recording(uint8_t *data, size_t size, size_t most,
                             unsigned seed)
{
    json_t *list;
    size_t len = 0;

    list = list_of(data, size);
    for (int i = rand_r(&seed) % 4; i >= 0 && json_array_size(list); i--)
        change_list(&seed, list);
    if (json_array_size(list) > 0)
        len = write_list(list, data, most);
    json_decref(list);
    return len > 0 ? len : LLVMFuzzerMutate(data, size, most);
}
