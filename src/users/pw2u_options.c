#include "users/pw2u.h"

#include "base/option.h"
#include "conf.h"

/* The byte behind -c. An empty value would put a NUL into every line. */
static int take_separator(const struct options *reading, struct pw2u_options *options)
{
    if (reading->value[0] == '\0')
        return OPTION_NO_VALUE;
    options->separator = reading->value[0];
    options->extensions = true;
    return 'c';
}

bool pw2u_options_read(struct pw2u_options *options, char **argv,
                       struct bytes *complaint)
{
    struct options reading;
    int code;

    *options = (struct pw2u_options){
        .extensions = true, .separator = CONF_BREAK, .dash = VIEW("-")};
    options_begin(&reading, argv);
    while ((code = options_next(&reading, "/ohHuUCc:")) != OPTION_END) {
        if (code == 'c')
            code = take_separator(&reading, options);
        switch (code) {
        case 'c':
            break;
        case '/':
            options->dash = VIEW("-/");
            break;
        case 'o':
            options->homes = PW2U_HOMES_SKIP;
            break;
        case 'h':
            options->homes = PW2U_HOMES_STOP;
            break;
        case 'H':
            options->homes = PW2U_HOMES_IGNORE;
            break;
        case 'u':
            options->upper_case = true;
            break;
        case 'U':
            options->upper_case = false;
            break;
        case 'C':
            options->extensions = false;
            break;
        default:
            options_complain(&reading, code, complaint);
            return false;
        }
    }
    return true;
}
