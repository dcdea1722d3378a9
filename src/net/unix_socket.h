/* unix_socket - stream sockets with a name in the file system. */
#ifndef NET_UNIX_SOCKET_H
#define NET_UNIX_SOCKET_H

/* All descriptors given back are close-on-exec and non-blocking, and the caller's; -1
 * with errno set where there is none. */

/* Listens at path, with that many connections waiting at most. What is there already
 * is taken for a socket that nobody listens at any more, and replaced. */
int unix_socket_listen(const char *path, int waiting);

/* The next connection; EAGAIN where none waits. */
int unix_socket_accept(int listener);

/* Connects at once: ECONNREFUSED where nobody listens, EAGAIN where too many wait. */
int unix_socket_connect(const char *path);

#endif
