/* Requests at even moments, whatever comes back: the open loop. Built and run by `openloop.py` in a process of its own.
 *
 *     open_load PORT CONNECTIONS RATE SECONDS OUT < REQUEST
 *
 * Every request has the moment at which it is due, and its latency counts from that moment, so that a server which keeps
 * its callers waiting cannot slow the questions down and look quick. One request at a time is on a connection; where no
 * connection is free at the moment, the request waits for one and the wait counts. The head and body to send come on
 * standard input. OUT gets what happened: a double with the moment of the first request, then for every request a
 * double with the moment it left, one with the moment its answer was whole (0 for none) and an int16 with its status
 * (0 for none). Moments are seconds of the monotonic clock. Standard output gets the share of its core that this took.
 *
 * In C because at fifty thousand requests a second an interpreter is later than the server it measures.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { ANSWER_LIMIT = 1 << 14, EVENTS = 1024, REQUEST_LIMIT = 1 << 20 };
static const struct timespec NAP = {0, 50000}; /* when nothing is due and nothing came */
static const double GRACE_S = 5.0;             /* how long the answers to the last requests are waited for */
static const long NOTHING = -1;

struct connection {
    int socket;
    long asked; /* the request that is on it, or NOTHING */
    size_t size;
    char answer[ANSWER_LIMIT + 1];
};

static int port, poll_fd;
static char request[REQUEST_LIMIT];
static size_t request_size;
static struct connection *connections;
static int *free_list; /* a ring: who has been free for longest is asked next */
static long free_head, free_count, connection_count;
static long total, under_way;
static double *sent, *done;
static int16_t *status;

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static double seconds_of(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void *zeros(size_t count, size_t size)
{
    void *found = calloc(count ? count : 1, size);
    if (found == NULL)
        fail("memory");
    return found;
}

static void set_free(long place)
{
    free_list[(free_head + free_count++) % connection_count] = (int)place;
}

static void connect_to_server(long place)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)place};
    int one = 1, number = socket(AF_INET, SOCK_STREAM, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (number < 0 || connect(number, (struct sockaddr *)&address, sizeof address) < 0)
        fail("connect");
    if (setsockopt(number, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) < 0)
        fail("TCP_NODELAY");
    if (epoll_ctl(poll_fd, EPOLL_CTL_ADD, number, &event) < 0)
        fail("epoll_ctl");
    connections[place].socket = number;
    connections[place].asked = NOTHING;
    connections[place].size = 0;
    set_free(place);
}

/* The status of a whole answer with a length, 0 while it is not whole. */
static int status_of(const char *answer, size_t size)
{
    const char *head = strstr(answer, "\r\n\r\n"), *length = strcasestr(answer, "\r\nContent-Length: ");
    if (head == NULL || length == NULL || length > head)
        return 0;
    size_t expected = (size_t)(head + 4 - answer) + strtoul(length + 18, NULL, 10);
    return size == expected ? atoi(answer + 9) : 0;
}

static void settle(struct connection *each, int said)
{
    if (each->asked == NOTHING)
        return;
    status[each->asked] = (int16_t)said;
    done[each->asked] = said ? seconds_of(CLOCK_MONOTONIC) : 0.0;
    each->asked = NOTHING;
    under_way--;
}

/* Read what came on a connection; one that the server closed is replaced. */
static void hear(long place)
{
    struct connection *each = &connections[place];
    ssize_t count = recv(each->socket, each->answer + each->size, ANSWER_LIMIT - each->size, MSG_DONTWAIT);
    if (count < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (count <= 0) {
        int was_free = each->asked == NOTHING;
        settle(each, 0);
        close(each->socket);
        if (was_free) { /* it stands in the ring already */
            free_count--;
            for (long at = 0, kept = 0; at <= free_count; at++) {
                int other = free_list[(free_head + at) % connection_count];
                if (other != place)
                    free_list[(free_head + kept++) % connection_count] = other;
            }
        }
        connect_to_server(place);
        return;
    }
    each->size += (size_t)count;
    each->answer[each->size] = '\0';
    int said = status_of(each->answer, each->size);
    if (said == 0)
        return;
    settle(each, said);
    each->size = 0;
    set_free(place);
}

static void ask(long number)
{
    int place = free_list[free_head];
    free_head = (free_head + 1) % connection_count;
    free_count--;
    under_way++;
    connections[place].asked = number;
    sent[number] = seconds_of(CLOCK_MONOTONIC);
    ssize_t count = send(connections[place].socket, request, request_size, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count < 0 && (errno == EPIPE || errno == ECONNRESET))
        return; /* the poll tells of its end, and then the request is lost */
    if (count != (ssize_t)request_size)
        fail("a request did not fit into the socket's buffer");
}

static void run(double start, double rate, double seconds)
{
    static struct epoll_event events[EVENTS];
    long asked = 0;
    while (asked < total || under_way > 0) {
        double now = seconds_of(CLOCK_MONOTONIC);
        if (now > start + seconds + GRACE_S)
            return;
        long due = now < start ? 0 : (long)((now - start) * rate) + 1;
        if (due > total)
            due = total;
        while (asked < due && free_count > 0)
            ask(asked++);
        int found = epoll_wait(poll_fd, events, EVENTS, 0);
        if (found < 0 && errno != EINTR)
            fail("epoll_wait");
        for (int at = 0; at < found; at++)
            hear((long)events[at].data.u32);
        if (found <= 0 && (asked >= due || free_count == 0))
            nanosleep(&NAP, NULL);
    }
}

int main(int count, char **words)
{
    if (count != 6) {
        fprintf(stderr, "usage: open_load PORT CONNECTIONS RATE SECONDS OUT < REQUEST\n");
        return 2;
    }
    double rate = atof(words[3]), seconds = atof(words[4]);
    port = atoi(words[1]);
    connection_count = atol(words[2]);
    total = (long)(rate * seconds);
    request_size = fread(request, 1, REQUEST_LIMIT, stdin);
    poll_fd = epoll_create1(0);
    connections = zeros((size_t)connection_count, sizeof *connections);
    free_list = zeros((size_t)connection_count, sizeof *free_list);
    sent = zeros((size_t)total, sizeof *sent);
    done = zeros((size_t)total, sizeof *done);
    status = zeros((size_t)total, sizeof *status);
    for (long place = 0; place < connection_count; place++)
        connect_to_server(place);
    double worked = seconds_of(CLOCK_PROCESS_CPUTIME_ID), start = seconds_of(CLOCK_MONOTONIC) + 0.05;
    run(start, rate, seconds);
    double share = (seconds_of(CLOCK_PROCESS_CPUTIME_ID) - worked) / (seconds_of(CLOCK_MONOTONIC) - start + 0.05);
    FILE *out = fopen(words[5], "wb");
    size_t size = (size_t)total;
    if (out == NULL || fwrite(&start, sizeof start, 1, out) != 1 || fwrite(sent, sizeof *sent, size, out) != size
        || fwrite(done, sizeof *done, size, out) != size || fwrite(status, sizeof *status, size, out) != size
        || fclose(out) != 0)
        fail(words[5]);
    printf("%f\n", share);
    return 0;
}
