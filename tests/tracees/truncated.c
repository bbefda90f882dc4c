/* SPDX-License-Identifier: MIT */
/*
 * Messages that are longer than the buffer, received with MSG_TRUNC: recv(2)
 * returns how long they were, not how much of them it has stored. Of a stream
 * it throws away as much as it returns, and stores nothing.
 *
 * prints:  6 aaaa....
 * prints:  6 aaaa....
 * ends:    status 0
 * reports: map rw- anonymous
 * reports: write +0 61616161 by recvfrom
 * reports: exit status 0
 * never:   write +0 616161616161*
 * never:   write +0 626262*
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "code.h"

/* A connection over the loopback device. */
static void connect_pair(int pair[2])
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);

    pair[0] = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&address, size) < 0 ||
        listen(listener, 1) < 0 ||
        getsockname(listener, (struct sockaddr *)&address, &size) < 0 ||
        connect(pair[0], (struct sockaddr *)&address, size) < 0)
        exit(99);
    pair[1] = accept(listener, NULL, NULL);
}

static void receive(const int pair[2], const char *text, size_t size,
                    char *buffer)
{
    ssize_t got;

    if (write(pair[0], text, strlen(text)) < 0)
        exit(98);
    got = recv(pair[1], buffer, size, MSG_TRUNC);
    printf("%zd %.8s\n", got, buffer);
}

int main(void)
{
    char *buffer = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int messages[2], stream[2];

    if (socketpair(AF_UNIX, SOCK_DGRAM, 0, messages) < 0)
        return 97;
    connect_pair(stream);
    memset(buffer, '.', 8);
    receive(messages, "aaaaaa", 4, buffer);
    receive(stream, "bbbbbb", 6, buffer);
    return 0;
}
