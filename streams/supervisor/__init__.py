"""`staffetta worker`: every role a supervised child process, and one HTTP port for all of them.

A role that is in doubt ends its process, and starting it again is its only way of recovery. So this part
is small, holds no state that matters and does no work of the roles.

Supervisor and child share one socket pair (`link`): the child tells its port, and why it gave up; and it
ends when the other end closes, which is what happens when the supervisor is killed.
"""
