#include "net/ucspi_tls.h"

#include "fake.h"

int fake_tls_fd;
bool fake_tls_fails;

void ucspi_tls_find(struct ucspi_tls *t)
{
    *t = (struct ucspi_tls){.offered = true};
}

bool ucspi_tls_is_active(void)
{
    return false;
}

bool ucspi_tls_start(struct ucspi_tls *t, struct connection *c, unsigned timeout_s)
{
    (void)timeout_s;
    if (fake_tls_fails)
        return false;
    connection_switch(c, fake_tls_fd, c->out.fd);
    t->offered = false;
    return true;
}
