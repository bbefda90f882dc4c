/* SPDX-License-Identifier: MIT */
/*
 * What execve(2) would say of a program is known only when a child has tried,
 * and its one errno says little. So the file is looked at first, as the kernel
 * will: by its rights, its first bytes and, of a script, by its interpreter.
 * What stays unclear here is left to exec.
 */
#include "target/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "target/machine.h"

#define SCRIPT_LINE 256 /* bytes of it that the kernel reads (execve(2)) */

#define MAX_SCRIPTS 5 /* that start each other: execve(2) */

/* --- what its name says --------------------------------------------------- */

/* Of a file that is no program, or may not be executed: if its name has an
 * ending that is known, says what it is and how there comes a program from it.
 * Returns 0 if it has none, else -1 with err filled. */
static int check_ending(const char *path, struct err *err)
{
    /* {} is its path, {-} that without the ending. */
    static const struct {
        const char *ending, *is, *remedy;
    } all[] = {
#define COMPILE "; compile it first: "
#define SCRIPT  "; trace what runs it: jittrace -- "
        {"c", "C source", COMPILE "gcc -g -o {-} {}"},
        {"cc", "C++ source", COMPILE "g++ -g -o {-} {}"},
        {"cpp", "C++ source", COMPILE "g++ -g -o {-} {}"},
        {"cxx", "C++ source", COMPILE "g++ -g -o {-} {}"},
        {"h", "a header for a compiler",
         ", and nothing in it can run by itself"},
        {"rs", "Rust source", COMPILE "rustc -g -o {-} {}"},
        {"go", "Go source", COMPILE "go build -o {-} {}"},
        {"s", "assembler source", COMPILE "gcc -g -o {-} {}"},
        {"S", "assembler source", COMPILE "gcc -g -o {-} {}"},
        {"asm", "assembler source",
         "; assemble and link it first: nasm -f elf64 -g -o {-}.o {} && gcc -o "
         "{-} {-}.o"},
        {"py", "a Python script", SCRIPT "python3 {}"},
        {"lua", "a Lua script", SCRIPT "luajit {}"},
        {"js", "a JavaScript program", SCRIPT "node {}"},
        {"sh", "a shell script", SCRIPT "sh {}"},
        {"java", "Java source", SCRIPT "java {}"},
        {"jsonl", "a file of JSON lines",
         "; if it is a recording: jittrace --replay={}"},
        {"a", "an archive of object files",
         "; link a program with it, and trace that"},
    };
    const char *slash = strrchr(path, '/'), *dot = strrchr(path, '.');
    char remedy[2 * PATH_MAX] = "";
    size_t len = 0, i = 0;

    if (!dot || dot == path || (slash && dot <= slash + 1))
        return 0;
    while (i < sizeof all / sizeof *all && strcmp(all[i].ending, dot + 1) != 0)
        i++;
    if (i == sizeof all / sizeof *all)
        return 0;
    for (const char *c = all[i].remedy; *c; c++) {
        const bool cut = !strncmp(c, "{-}", 3), name = cut || *c == '{';
        const int size =
            !name ? 1 : (int)(cut ? dot - path : (long)strlen(path));

        if (len < sizeof remedy)
            len += (size_t)snprintf(remedy + len, sizeof remedy - len, "%.*s",
                                    size, name ? path : c);
        c += cut ? 2 : name;
    }
    return err_set(err, ERR_NOT_EXECUTABLE, "'%s' is %s, not a program%s", path,
                   all[i].is, remedy);
}

/* --- what its first bytes say --------------------------------------------- */

int program_check_image(const char *name, struct bytes head, struct err *err)
{
    static const struct {
        unsigned machine;
        const char *name;
    } machines[] = {
        {EM_386, "32-bit x86"}, {EM_AARCH64, "AArch64"}, {EM_ARM, "32-bit ARM"},
        {EM_RISCV, "RISC-V"},   {EM_PPC64, "PowerPC"},   {EM_S390, "S/390"},
    };
    const char *machine = "another CPU";
    Elf64_Ehdr header = {0};

    if (head.len >= 2 && !memcmp(head.data, "#!", 2))
        return 0;
    if (head.len < SELFMAG || memcmp(head.data, ELFMAG, SELFMAG) != 0)
        return check_ending(name, err) < 0
                   ? -1
                   : err_set(err, ERR_NOT_EXECUTABLE,
                             "'%s' is not a program: it is no ELF file, and a "
                             "script must begin with #! and its interpreter",
                             name);
    memcpy(&header, head.data,
           head.len < sizeof header ? head.len : sizeof header);
    for (size_t i = 0; i < sizeof machines / sizeof *machines; i++)
        if (header.e_ident[EI_DATA] == ELFDATA2LSB &&
            machines[i].machine == header.e_machine)
            machine = machines[i].name;
    if (header.e_ident[EI_DATA] != ELFDATA2LSB || header.e_machine != ARCH_ELF)
        return err_set(err, ERR_NOT_EXECUTABLE,
                       "'%s' is a program for %s; jittrace traces programs "
                       "for x86-64",
                       name, machine);
    if (header.e_ident[EI_CLASS] != ELFCLASS64)
        return err_set(err, ERR_NOT_EXECUTABLE,
                       "'%s' is an x32 program, with 32-bit pointers; jittrace "
                       "traces 64-bit programs",
                       name);
    if (header.e_type != ET_EXEC && header.e_type != ET_DYN)
        return err_set(err, ERR_NOT_EXECUTABLE,
                       "'%s' is an object file, not a program; link it first "
                       "(gcc -o program %s)",
                       name, name);
    /* What is found to be the first instruction is the ELF header then. */
    if (header.e_type == ET_DYN && head.len >= sizeof header &&
        header.e_entry == 0)
        return err_set(err, ERR_NOT_EXECUTABLE,
                       "'%s' is a shared library and has no entry point; trace "
                       "a program that loads it",
                       name);
    return 0;
}

/* --- what its file says --------------------------------------------------- */

/* A program that gets rights from its file does not get them when it is traced
 * (execve(2)), and would do something else then. */
static int check_rights(const char *path, const struct stat *status,
                        struct err *err)
{
    bool by_user = (status->st_mode & S_ISUID) && status->st_uid != geteuid();
    bool by_group = (status->st_mode & S_ISGID) &&
                    (status->st_mode & S_IXGRP) && status->st_gid != getegid();
    bool by_capability =
        geteuid() != 0 && getxattr(path, "security.capability", NULL, 0) > 0;
    struct statvfs mount;

    if (!by_user && !by_group && !by_capability)
        return 0;
    if ((statvfs(path, &mount) == 0 && (mount.f_flag & ST_NOSUID)) ||
        prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1)
        return 0; /* nor would it get them without us */
    return err_set(err, ERR_NOT_EXECUTABLE,
                   "'%s' has rights of its own (%s), which the kernel does not "
                   "give to a program that is traced; run jittrace as %s, or "
                   "trace a copy of it",
                   path,
                   by_user    ? "setuid"
                   : by_group ? "setgid"
                              : "capabilities",
                   by_user    ? "the user who owns it"
                   : by_group ? "a user of its group"
                              : "root");
}

/* Of a file system without programs, the directory is named at which it is
 * mounted: the topmost above the file that is the same. */
static int check_executable(const char *path, const struct stat *status,
                            struct err *err)
{
    char mount[PATH_MAX] = "/", above[PATH_MAX], *slash;
    struct stat directory;
    struct statvfs flags;
    int error;

    if (access(path, X_OK) == 0)
        return 0;
    error = errno;
    if (statvfs(path, &flags) < 0 || !(flags.f_flag & ST_NOEXEC))
        return err_set(err, ERR_NOT_EXECUTABLE,
                       "'%s' may not be executed: %s (chmod +x allows it)",
                       path, strerror(error));
    if (!realpath(path, above))
        strcpy(above, "/");
    while ((slash = strrchr(above, '/')) && above[1]) {
        slash[slash == above] = 0;
        if (stat(above, &directory) < 0 || directory.st_dev != status->st_dev ||
            statvfs(above, &flags) < 0 || !(flags.f_flag & ST_NOEXEC))
            break;
        strcpy(mount, above);
    }
    return err_set(err, ERR_NOT_EXECUTABLE,
                   "'%s' may not be executed: no program may in the file "
                   "system mounted on '%s' (noexec); copy it to another one, "
                   "or allow it as root: mount -o remount,exec %s",
                   path, mount, mount);
}

/* One that is not marked as executable may not be meant to be. Returns -1 with
 * err filled if that can be told. */
static int check_unmarked(const char *path, struct err *err)
{
    uint8_t head[sizeof(Elf64_Ehdr)];
    int fd, result = check_ending(path, err);
    ssize_t got;

    if (result < 0 || (fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
        return result;
    got = read(fd, head, sizeof head);
    close(fd);
    return got >= SELFMAG && !memcmp(head, ELFMAG, SELFMAG)
               ? program_check_image(path, (struct bytes){head, (size_t)got},
                                     err)
               : 0;
}

/* Checks what can be known of a file before anything is started. A script is
 * what its interpreter is; its line is cut at 255 bytes. */
static int check_file(const char *path, unsigned depth, struct err *err)
{
    char head[SCRIPT_LINE] = "", *name;
    struct stat status;
    bool carriage_return;
    ssize_t got;
    size_t len;
    int fd;

    if (stat(path, &status) < 0)
        return err_set(err,
                       errno == ENOENT || errno == ENOTDIR ? ERR_NO_PROGRAM
                                                           : ERR_NOT_EXECUTABLE,
                       "cannot find the program '%s': %s", path,
                       strerror(errno));
    if (S_ISDIR(status.st_mode))
        return err_set(err, ERR_NOT_EXECUTABLE,
                       "'%s' is a directory; name a program in it", path);
    if (!S_ISREG(status.st_mode)) /* to open a FIFO could take for ever */
        return err_set(err, ERR_NOT_EXECUTABLE,
                       "'%s' is no file but a %s, and cannot be executed", path,
                       S_ISFIFO(status.st_mode)   ? "FIFO"
                       : S_ISSOCK(status.st_mode) ? "socket"
                                                  : "device");
    if (access(path, X_OK) < 0 && check_unmarked(path, err) < 0)
        return -1;
    if (check_executable(path, &status, err) < 0 ||
        check_rights(path, &status, err) < 0)
        return -1;
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno != EACCES && errno != EPERM)
        return 0; /* exec will tell */
    if (fd < 0)   /* the kernel hides the memory of such a program, too */
        return err_set(
            err, ERR_NOT_EXECUTABLE,
            "'%s' may be executed but not read (%s), and jittrace can "
            "trace only what it may read; allow it (chmod a+r), or run "
            "jittrace as root",
            path, strerror(errno));
    got = read(fd, head, sizeof head - 1);
    close(fd);
    if (got < 2 || memcmp(head, "#!", 2) != 0)
        return program_check_image(
            path, (struct bytes){(uint8_t *)head, got > 0 ? (size_t)got : 0},
            err);
    name = head + 2 + strspn(head + 2, " \t");
    len = strcspn(name, " \t\n");
    if (len == 0 || depth == MAX_SCRIPTS)
        return 0; /* exec will tell */
    name[len] = 0;
    if (stat(name, &status) == 0 || errno != ENOENT)
        return check_file(name, depth + 1, err);
    carriage_return = name[len - 1] == '\r';
    name[len - carriage_return] = 0;
    return err_set(err, ERR_NO_PROGRAM,
                   "cannot start '%s': its interpreter '%s' (in the #! line) "
                   "does not exist%s",
                   path, name,
                   carriage_return ? "; the line ends with a carriage return, "
                                     "which counts as part of it"
                                   : "");
}

/* --- what its name means -------------------------------------------------- */

/* What cannot be executed is passed over, but it is what was found if there is
 * nothing better: then it is said why not. */
int program_find(const char *name, char path[PATH_MAX], struct err *err)
{
    /* What a name in PATH can mean, from the worst to the best. */
    enum { NOT_THERE, NO_PROGRAM, NOT_EXECUTABLE, EXECUTABLE } best, found;
    const char *search = getenv("PATH");
    char here[PATH_MAX];
    struct stat status;

    if (strlen(name) >= PATH_MAX || !*name)
        return err_set(err, ERR_NO_PROGRAM,
                       "the name of the program is empty or too long");
    strcpy(path, name);
    best = strchr(name, '/') ? EXECUTABLE : NOT_THERE;
    search = search ? search : "/bin:/usr/bin";
    for (bool more = true; more && best != EXECUTABLE;) {
        size_t len = strcspn(search, ":");

        more = search[len] == ':';
        if (len + strlen(name) + 2 < PATH_MAX) {
            snprintf(here, sizeof here, "%.*s%s%s", (int)len, search,
                     len ? "/" : "", name);
            found = stat(here, &status) < 0    ? NOT_THERE
                    : !S_ISREG(status.st_mode) ? NO_PROGRAM
                    : access(here, X_OK) < 0   ? NOT_EXECUTABLE
                                               : EXECUTABLE;
            if (found > best)
                strcpy(path, here);
            best = found > best ? found : best;
        }
        search += len + more;
    }
    if (best != NOT_THERE)
        return check_file(path, 0, err);
    if (stat(name, &status) == 0 && S_ISREG(status.st_mode) &&
        check_unmarked(name, err) < 0)
        return -1;
    return err_set(err, ERR_NO_PROGRAM,
                   "cannot find the program '%s' in PATH; one in this "
                   "directory is written ./%s",
                   name, name);
}
