"""The lane: Faust agents on batches, inside Kafka transactions, exactly once.

**The invariant.** For each partition number there is one writer at a time, and each writer has read everything
that the earlier ones did.

**How it is kept**, in this order, which matters:

1. fence (`transaction`): `init_transactions` with the partition's own transactional id ends the transaction of
   whoever wrote before and refuses all it may still try;
2. load (`loading`): the changelogs up to the stable end. Nobody can add to them any more, except us;
3. seek (`fetching`): to the positions found there, which were written in the same transactions as the rows;
4. process (`partition`): changed rows, outputs and positions of a batch are one transaction (`store`).

Who is fenced cannot commit; who is not fenced has been alone since. Whoever is in doubt ends its process
(`crash`): its supervisor starts it again, and it fences, loads and goes on. There is no other error path.

**What a role brings** is a pure function, `step(batch, state) -> effects`, and three choices: which of the fetched
records form the next batch (`pick`), when to be woken without one (`next_wakeup`), and what happens between two
transactions (`perform`). Everything else is the same for all; see `streams.batch.Role`.

Faust keeps what is Faust's: the agent, its stream, the tables' changelog topics and their co-assignment, the
group, the web and the sensors. The lane replaces what loses events or is slow: fetching, acknowledging,
recovery and commits. It rests on private names of exact versions; `guard` checks them at import.
"""
