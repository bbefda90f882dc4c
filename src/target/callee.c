/* SPDX-License-Identifier: MIT */
/*
 * What is known of a function that generated code calls: its name, and from
 * debug information the types of its parameters and of its result (DWARF 5, 3.3
 * and 5). The C library has none as a rule; of its functions with variable
 * arguments that take floating-point numbers, too, the names are enough.
 *
 * A function of C that was declared without a prototype says nothing of its
 * arguments (DW_AT_prototyped).
 */
#include "target/lines_parts.h"

#include <dwarf.h>
#include <search.h>

#include "base/mem.h"

/* The language's most; one that has more is not described. */
#define MAX_PARAMS 127

struct known_callee {
    uint64_t key; /* its first byte */
    struct callee callee;
    const char *params[MAX_PARAMS + 1];
    char name[]; /* and the module's behind it */
};

/* --- types ---------------------------------------------------------------- */

/* psABI 3.2.3: what is larger goes by memory, unless it is one vector. */
#define STRUCT_IN_REGISTERS 16

static const char *name_base(Dwarf_Die *type)
{
    static const char *const integers[2][4] = {{"i8", "i16", "i32", "i64"},
                                               {"u8", "u16", "u32", "u64"}};
    const char *name = dwarf_diename(type);
    int size = dwarf_bytesize(type), log = 0;
    Dwarf_Attribute attribute;
    Dwarf_Word encoding = 0;
    bool is_unsigned;

    dwarf_formudata(dwarf_attr_integrate(type, DW_AT_encoding, &attribute),
                    &encoding);
    while (log < 4 && 1 << log != size)
        log++;
    switch (encoding) {
    case DW_ATE_boolean:
        return size == 1 ? "bool" : "other";
    case DW_ATE_float:
        return size == 4                                           ? "f32"
               : size == 8                                         ? "f64"
               : size == 16 && name && strstr(name, "long double") ? "f80"
                                                                   : "other";
    case DW_ATE_unsigned:
    case DW_ATE_unsigned_char:
    case DW_ATE_UTF:
    case DW_ATE_signed:
    case DW_ATE_signed_char:
        is_unsigned =
            encoding != DW_ATE_signed && encoding != DW_ATE_signed_char;
        return log < 4 ? integers[is_unsigned][log] : "other";
    }
    return "other";
}

/* A vector in a large struct may keep it out of memory. */
static bool has_array(Dwarf_Die *type)
{
    Dwarf_Attribute attribute;
    Dwarf_Die member, inner;

    if (dwarf_child(type, &member) != 0)
        return false;
    do {
        if (dwarf_tag(&member) == DW_TAG_member &&
            dwarf_formref_die(dwarf_attr(&member, DW_AT_type, &attribute),
                              &inner) &&
            dwarf_peel_type(&inner, &inner) == 0 &&
            dwarf_tag(&inner) == DW_TAG_array_type &&
            dwarf_hasattr(&inner, DW_AT_GNU_vector))
            return true;
    } while (dwarf_siblingof(&member, &member) == 0);
    return false;
}

static const char *name_struct(Dwarf_Die *type, bool is_result)
{
    Dwarf_Attribute attribute;
    Dwarf_Word convention = 0;

    dwarf_formudata(dwarf_attr(type, DW_AT_calling_convention, &attribute),
                    &convention);
    if (convention == DW_CC_pass_by_reference) /* with a constructor of C++ */
        return is_result ? "memory" : "pointer";
    if (dwarf_bytesize(type) < 0)
        return "other";
    if (dwarf_bytesize(type) <= STRUCT_IN_REGISTERS)
        return "struct";
    return has_array(type) ? "other" : "memory";
}

/* The word for the type of a parameter or of a result: trace/event.def. */
static const char *name_type(Dwarf_Die *of, bool is_result)
{
    Dwarf_Attribute attribute;
    Dwarf_Die type;

    if (!dwarf_attr_integrate(of, DW_AT_type, &attribute))
        return is_result ? "void" : "other";
    if (!dwarf_formref_die(&attribute, &type) ||
        dwarf_peel_type(&type, &type) != 0)
        return "other";
    switch (dwarf_tag(&type)) {
    case DW_TAG_base_type:
        return name_base(&type);
    case DW_TAG_pointer_type:
    case DW_TAG_reference_type:
    case DW_TAG_rvalue_reference_type:
        return "pointer";
    case DW_TAG_enumeration_type:
        return dwarf_bytesize(&type) == 4   ? "i32"
               : dwarf_bytesize(&type) == 8 ? "i64"
                                            : "other";
    case DW_TAG_structure_type:
    case DW_TAG_class_type:
    case DW_TAG_union_type:
        return name_struct(&type, is_result);
    }
    return "other";
}

/* --- functions ------------------------------------------------------------ */

/* There every function has a prototype. */
static bool is_cplusplus(int language)
{
    return language == DW_LANG_C_plus_plus ||
           language == DW_LANG_C_plus_plus_03 ||
           language == DW_LANG_C_plus_plus_11 ||
           language == DW_LANG_C_plus_plus_14;
}

/* Fills in the types of the function that begins at pc. */
static void find_types(Dwfl_Module *module, uint64_t pc,
                       struct known_callee *known)
{
    struct callee *callee = &known->callee;
    Dwarf_Die *unit, *scopes = NULL, param, origin;
    Dwarf_Attribute attribute;
    Dwarf_Addr bias = 0;
    size_t params = 0;
    int count, i = 0;

    unit = lines_are_own(module) ? lines_unit(module, pc, &bias) : NULL;
    count = unit ? dwarf_getscopes(unit, pc - bias, &scopes) : 0;
    while (i < count && dwarf_tag(&scopes[i]) != DW_TAG_subprogram)
        i++;
    if (i >= count || (!is_cplusplus(dwarf_srclang(unit)) &&
                       !dwarf_hasattr_integrate(&scopes[i], DW_AT_prototyped)))
        goto end;
    /* A function that was inlined elsewhere, too, has its parameters there. */
    origin = scopes[i];
    if (dwarf_attr(&origin, DW_AT_abstract_origin, &attribute) &&
        !dwarf_formref_die(&attribute, &origin))
        goto end;
    if (dwarf_child(&origin, &param) == 0)
        do {
            int tag = dwarf_tag(&param);

            if (params == MAX_PARAMS)
                goto end;
            if (tag == DW_TAG_formal_parameter)
                known->params[params++] = name_type(&param, false);
            else if (tag == DW_TAG_unspecified_parameters)
                known->params[params++] = "...";
        } while (dwarf_siblingof(&param, &param) == 0);
    if (params == 0)
        known->params[params++] = "void";
    callee->result = name_type(&origin, true);
    callee->params = (struct texts){known->params, params};
    callee->known_by = "debug info";
end:
    free(scopes);
}

/* Of ISO C 7.21.6 and POSIX, and what glibc calls them with _FORTIFY_SOURCE:
 * the pointers and numbers before the format, the result is an int. */
static const struct {
    const char *name;
    const char *params[5];
} variadic[] = {
    {"printf", {"pointer", "..."}},
    {"fprintf", {"pointer", "pointer", "..."}},
    {"dprintf", {"i32", "pointer", "..."}},
    {"sprintf", {"pointer", "pointer", "..."}},
    {"snprintf", {"pointer", "u64", "pointer", "..."}},
    {"__printf_chk", {"i32", "pointer", "..."}},
    {"__fprintf_chk", {"pointer", "i32", "pointer", "..."}},
    {"__dprintf_chk", {"i32", "i32", "pointer", "..."}},
    {"scanf", {"pointer", "..."}},
    {"fscanf", {"pointer", "pointer", "..."}},
    {"sscanf", {"pointer", "pointer", "..."}},
};

static void find_by_name(struct callee *callee)
{
    const size_t length = strcspn(callee->symbol, "@");
    const bool is_stub = strcmp(callee->symbol + length, "@plt") == 0;
    bool is_libc = strncmp(callee->module, "libc.", strlen("libc.")) == 0 ||
                   strncmp(callee->module, "ld-musl", strlen("ld-musl")) == 0;

    for (size_t i = 0;
         (is_libc || is_stub) && i < sizeof variadic / sizeof *variadic; i++) {
        const char *const *params = variadic[i].params;
        size_t count = 0;

        if (strlen(variadic[i].name) != length ||
            strncmp(variadic[i].name, callee->symbol, length) != 0)
            continue;
        while (count < 5 && params[count])
            count++;
        callee->params = (struct texts){params, count};
        callee->result = "i32";
        callee->known_by = "name";
    }
}

/* The name of the function that a place is the beginning of: what lines_symbol
 * says of it without the file in front and the offset behind. */
static const char *name_of(const char *place, size_t *length)
{
    const char *end = place ? strrchr(place, '+') : NULL;
    const char *name = place ? strchr(place, ':') : NULL;

    if (!end || strcmp(end, "+0x0") != 0)
        return NULL;
    name = name && name < end && name[1] != ':' ? name + 1 : place;
    *length = (size_t)(end - name);
    return name;
}

void lines_find_callee(struct lines *lines, uint64_t addr, struct callee *out)
{
    struct known_callee *const *found =
        tfind(&addr, &lines->callees, lines_by_key);
    struct known_callee *known;
    const char *name, *file;
    Dwfl_Module *module;
    size_t length = 0;

    *out = (struct callee){0};
    if (found)
        *out = (*found)->callee;
    name = found ? NULL : name_of(lines_symbol(lines, addr), &length);
    if (!name)
        return;
    module = lines_module(lines, addr);
    file = lines_module_name(module);
    known = mem_alloc(sizeof *known + length + 1 + strlen(file) + 1);
    known->key = addr;
    memcpy(known->name, name, length);
    known->callee.symbol = known->name;
    known->callee.module = strcpy(known->name + length + 1, file);
    find_types(module, addr, known);
    if (!known->callee.known_by)
        find_by_name(&known->callee);
    tsearch(known, &lines->callees, lines_by_key);
    *out = known->callee;
}
