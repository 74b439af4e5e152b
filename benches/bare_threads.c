/* The least that a client on blocking threads, or on epoll, can cost: it only sends and receives.
 *
 *   bare_threads threads|yield|epoll USERS SECONDS PORT PATH
 *
 * Each user sends the same GET over its own connection to 127.0.0.1 and waits for as many bytes as the first response had.
 * It measures, checks and reports nothing; `yield` lets other threads run once and looks for the response before it blocks.
 * Prints the number of requests. Ends with 1 if the server closes a connection or cannot be reached.
 */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { STACK = 64 * 1024, ROOM = 2048 };

static char request[512];
static size_t request_length;
static size_t response_length;
static struct sockaddr_in server;
static int looks_first;
static atomic_int is_over;
static atomic_long requests;
static pthread_barrier_t all_connected;

static void fail(const char *what)
{
	perror(what);
	_exit(1);
}

static int open_connection(void)
{
	int one = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&server, sizeof(server)))
		fail("connect");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

static void send_request(int fd)
{
	if (send(fd, request, request_length, MSG_NOSIGNAL) != (ssize_t)request_length)
		fail("send");
}

/* Learns the length of the response from the first one; `Content-Length` must be there. */
static void learn_length(void)
{
	char text[ROOM + 1];
	size_t have = 0;
	char *end, *field;
	int fd = open_connection();

	send_request(fd);
	for (;;) {
		ssize_t got = recv(fd, text + have, ROOM - have, 0);

		if (got <= 0)
			fail("recv");
		have += got;
		text[have] = 0;
		end = strstr(text, "\r\n\r\n");
		if (end)
			break;
	}
	field = strcasestr(text, "\r\ncontent-length:");
	if (!field || field > end)
		fail("no Content-Length");
	response_length = (end + 4 - text) + strtoul(field + 17, NULL, 10);
	close(fd);
}

static void *one_user(void *unused)
{
	char room[ROOM];
	long done = 0;
	int fd = open_connection();

	pthread_barrier_wait(&all_connected);
	while (!atomic_load_explicit(&is_over, memory_order_relaxed)) {
		size_t left = response_length;
		int flags = 0;

		send_request(fd);
		if (looks_first) {
			sched_yield();
			flags = MSG_DONTWAIT;
		}
		while (left) {
			ssize_t got = recv(fd, room, sizeof(room), flags);

			flags = 0;
			if (got < 0 && (errno == EAGAIN || errno == EINTR))
				continue;
			if (got <= 0)
				fail("recv");
			left -= got;
		}
		done++;
	}
	atomic_fetch_add(&requests, done);
	close(fd);
	return unused;
}

static void run_threads(int users, unsigned seconds)
{
	pthread_t *threads = calloc(users, sizeof(*threads));
	pthread_attr_t attributes;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK);
	pthread_barrier_init(&all_connected, NULL, users + 1);
	for (int at = 0; at < users; at++)
		if (pthread_create(&threads[at], &attributes, one_user, NULL))
			fail("pthread_create");
	pthread_barrier_wait(&all_connected);
	sleep(seconds);
	is_over = 1;
	for (int at = 0; at < users; at++)
		pthread_join(threads[at], NULL);
}

static void end(int unused)
{
	(void)unused;
	is_over = 1;
}

static void run_epoll(int users, unsigned seconds)
{
	struct epoll_event ready[256];
	size_t *left = calloc(users, sizeof(*left));
	int *fds = calloc(users, sizeof(*fds));
	int poll = epoll_create1(EPOLL_CLOEXEC);
	char room[ROOM];
	long done = 0;

	for (int at = 0; at < users; at++) {
		struct epoll_event wanted = { .events = EPOLLIN, .data.u32 = at };

		fds[at] = open_connection();
		if (epoll_ctl(poll, EPOLL_CTL_ADD, fds[at], &wanted))
			fail("epoll_ctl");
	}
	signal(SIGALRM, end);
	alarm(seconds);
	for (int at = 0; at < users; at++) {
		left[at] = response_length;
		send_request(fds[at]);
	}
	while (!is_over) {
		int count = epoll_wait(poll, ready, 256, -1);

		for (int at = 0; at < count; at++) {
			int user = ready[at].data.u32;
			ssize_t got = recv(fds[user], room, sizeof(room), MSG_DONTWAIT);

			if (got <= 0)
				fail("recv");
			left[user] -= got;
			if (!left[user]) {
				done++;
				left[user] = response_length;
				send_request(fds[user]);
			}
		}
	}
	requests = done;
}

int main(int count, char **words)
{
	int users;

	if (count != 6)
		return 2;
	users = atoi(words[2]);
	looks_first = !strcmp(words[1], "yield");
	server.sin_family = AF_INET;
	server.sin_port = htons(atoi(words[4]));
	server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	request_length = snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%s\r\n\r\n", words[5], words[4]);
	learn_length();
	if (!strcmp(words[1], "epoll"))
		run_epoll(users, atoi(words[3]));
	else
		run_threads(users, atoi(words[3]));
	printf("%ld\n", requests);
	return 0;
}
