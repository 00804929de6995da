/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The ring of stage 3, for the model checker spin: every order in which the
 * producer (the kernel), the consumer (the client) and the memory between them
 * can take their steps. `make model` runs it, as it is and with one mistake at
 * a time.
 *
 * How memory is modelled
 *
 * A CPU does not do its loads and stores where they stand in the program. It
 * starts them there, one after the other; each of them takes effect later, at
 * a moment of its own, and a later one may overtake an earlier one. So here,
 * each CPU has a few operations in flight. A process of its own for each CPU,
 * memory_of(), picks any of them, at any time, and lets it take effect: a
 * store changes the word for everybody at once, a load brings the word's value
 * of this moment. What keeps an operation back is only what the kernel's
 * memory model (tools/memory-model) promises:
 *
 *   same word		operations on one word take effect in program order
 *   load-acquire	what comes after it waits for it
 *   store-release	it waits for everything before it
 *   smp_wmb()		stores after it wait for the stores before it
 *   branch		a store that stands after a branch waits for the loads
 *			that decide it (a control dependency); a load does not:
 *			CPUs guess the way and load ahead
 *
 * A store buffer that drains out of order is this, seen from the stores alone;
 * speculative loads are this, seen from the loads.
 *
 * In the program below, load() and store() start an operation; what has come
 * in is in loaded[], and landed[] tells that it has. A store stands after the
 * wait for the loads that decide it, a load that the CPU may do ahead stands
 * before that wait. What a CPU does between two waits is one step (atomic):
 * it only starts operations, and nobody sees that before they take effect.
 *
 * What the model leaves out: it is small (SLOTS, MESSAGES, CELLS), and the
 * counters never wrap (a wild tail does, in the distance). A consumer finishes
 * the loads of one message before it starts those of the next, which are of
 * another slot. A store is seen by everybody else at once, which is no loss
 * with two CPUs. The compiler is taken to do what READ_ONCE(), WRITE_ONCE()
 * and the atomics say.
 */

#ifndef SLOTS
#define SLOTS		2
#endif
#ifndef MESSAGES
#define MESSAGES	6	/* three laps, if none is dropped */
#endif

/*
 * Mistakes, to be switched on one at a time with -D. Each has a
 * counter-example.
 *
 *   NO_WMB		producer: nothing between the stamp and the sequence
 *   NO_HEAD_RELEASE	producer: a plain store of the head (WAIT_FOR_HEAD)
 *   HEAD_BEFORE_SLOT	producer: head, then slot (WAIT_FOR_HEAD)
 *   FULL_OFF_BY_ONE	producer: believes in one slot more than there are
 *   TAIL_BELIEVED	producer: full only if exactly full (WILD_TAIL)
 *   NO_ACQUIRE		consumer: a plain load of what it waits for
 *   NO_TAIL_RELEASE	consumer: a plain store of the tail
 *   TAIL_TOO_EARLY	consumer: publishes the tail, then reads the slot
 *
 * The producer's load of the tail is an acquire, and the model can do without:
 * the stores depend on the branch that the tail decides (see the litmus test
 * slot-reused-branch).
 *
 * Two more are false claims, so that "nothing found" means something: what
 * they deny does happen in this model.
 *
 *   DENY_ALL_TAKEN	the consumer never gets all messages, lap after lap
 *   DENY_TAKEN_AFTER_DROP	it never gets the last one after one was dropped
 *
 * Consumers: WAIT_FOR_HEAD waits for the head instead of for the slot's
 * sequence; WILD_TAIL writes wrong numbers into the tail, too.
 */

/* --- Words of memory that both sides see, all 0 at first. --- */

#define SEQUENCE(slot)	(slot)
#define STAMP(slot)	(SLOTS + (slot))
#define HEAD		(2 * SLOTS)
#define TAIL		(2 * SLOTS + 1)
#define WORDS		(2 * SLOTS + 2)

#define STAMP_OF(sequence)	(100 + (sequence))

byte memory[WORDS];

/* What loads bring. Each word is loaded by one side only. */
byte loaded[WORDS];
bool landed[WORDS];

/* --- What the properties are about: nobody's variables, nobody decides by them. --- */

byte accepted;		/* messages that the consumer has seen to be there */
bool reading;		/* it still waits for a word of the last of them */
byte dropped;		/* messages that the producer found no room for */
bool lied;		/* a tail was written that says more than was read */

/* --- Operations in flight. --- */

#define PRODUCER	0
#define CONSUMER	1
#ifndef CELLS
#define CELLS		6	/* at most in flight, for each CPU */
#endif

typedef operation {
	byte word;
	byte value;		/* a store's */
	byte number;		/* a store's into a slot: of which message, from 0 */
	byte waits_for;		/* the set of operations that take effect before it */
};

/* Operations stand in program order. A set of them is a bit mask of their cells. */
typedef cpu_state {
	operation cell[CELLS];
	byte count;		/* cells in use */
	byte stores;		/* of these: the stores */
	byte acquires;		/* of these: the load-acquires */
	byte fenced;		/* of these: the stores before the last smp_wmb() */
};

cpu_state cpu[2];

byte i;				/* for loops within one step; 0 between steps */

#define BIT(n)		(1 << (n))
#define BELOW(n)	(BIT(n) - 1)
#define LEFT_OUT(set, n)	(((set) & BELOW(n)) | (((set) >> 1) & ~BELOW(n)))

/* Starts an operation, as soon as there is a cell for it. */
inline start(who, is_store, is_acquire, is_release, where, what, which)
{
	d_step {
		cpu[who].count < CELLS;

		cpu[who].cell[cpu[who].count].word = where;
		cpu[who].cell[cpu[who].count].value = what;
		cpu[who].cell[cpu[who].count].number = which;

		/* Which of those before it have to take effect before it? */
		cpu[who].cell[cpu[who].count].waits_for = cpu[who].acquires |
			(is_store -> cpu[who].fenced : 0) |
			(is_release -> BELOW(cpu[who].count) : 0);
		do
		:: i < cpu[who].count ->
			if
			:: cpu[who].cell[i].word == where ->
				cpu[who].cell[cpu[who].count].waits_for =
					cpu[who].cell[cpu[who].count].waits_for | BIT(i)
			:: else
			fi;
			i++
		:: else -> break
		od;
		i = 0;

		cpu[who].stores = cpu[who].stores | (is_store -> BIT(cpu[who].count) : 0);
		cpu[who].acquires = cpu[who].acquires | (is_acquire -> BIT(cpu[who].count) : 0);
		cpu[who].count++
	}
}

#define load(who, word)			start(who, false, false, false, word, 0, 0)
#define load_acquire(who, word)		start(who, false, true, false, word, 0, 0)
#define store(who, word, value)		start(who, true, false, false, word, value, 0)
#define store_release(who, word, value)	start(who, true, false, true, word, value, 0)
#define store_slot(who, word, value, number) \
					start(who, true, false, false, word, value, number)

inline smp_wmb(who)
{
	cpu[who].fenced = cpu[who].stores
}

/* Operation n is no longer in flight: nothing waits for it, those after it move up. */
inline leave(who, n)
{
	cpu[who].count--;
	cpu[who].stores = LEFT_OUT(cpu[who].stores, n);
	cpu[who].acquires = LEFT_OUT(cpu[who].acquires, n);
	cpu[who].fenced = LEFT_OUT(cpu[who].fenced, n);
	i = n;
	do
	:: i < cpu[who].count ->
		cpu[who].cell[i].word = cpu[who].cell[i + 1].word;
		cpu[who].cell[i].value = cpu[who].cell[i + 1].value;
		cpu[who].cell[i].number = cpu[who].cell[i + 1].number;
		cpu[who].cell[i].waits_for = LEFT_OUT(cpu[who].cell[i + 1].waits_for, n);
		i++
	:: else -> break
	od;
	cpu[who].cell[i].word = 0;
	cpu[who].cell[i].value = 0;
	cpu[who].cell[i].number = 0;
	cpu[who].cell[i].waits_for = 0;
	i = 0
}

/* For the text of a counter-example: which word. */
inline print_word(where)
{
	if
	:: where < SLOTS -> printf("slot %d's sequence", where)
	:: where >= SLOTS && where < HEAD -> printf("slot %d's stamp", where - SLOTS)
	:: where == HEAD -> printf("the head")
	:: where == TAIL -> printf("the tail")
	fi
}

inline take_effect(who, n)
{
	d_step {
		n < cpu[who].count && cpu[who].cell[n].waits_for == 0;

		printf("memory    ");
		print_word(cpu[who].cell[n].word);
		if
		:: cpu[who].stores & BIT(n) ->
			printf(" becomes %d\n", cpu[who].cell[n].value);
			memory[cpu[who].cell[n].word] = cpu[who].cell[n].value;

			/* No unread slot is overwritten: the message of the lap before has been read. */
			assert(lied || cpu[who].cell[n].word >= HEAD ||
			       cpu[who].cell[n].number < accepted - reading + SLOTS)
		:: else ->
			printf(" is loaded: %d\n", memory[cpu[who].cell[n].word]);
			loaded[cpu[who].cell[n].word] = memory[cpu[who].cell[n].word];
			landed[cpu[who].cell[n].word] = true;
			reading = reading && !(landed[SEQUENCE((accepted - 1) % SLOTS)] &&
					       landed[STAMP((accepted - 1) % SLOTS)])
		fi;
		leave(who, n)
	}
}

/* The CPU guessed wrong: what it loads ahead is forgotten before it came in. */
inline forget_loads(who)
{
	d_step {
		do
		:: n < cpu[who].count && !(cpu[who].stores & BIT(n)) -> leave(who, n)
		:: n < cpu[who].count && (cpu[who].stores & BIT(n)) -> n++
		:: else -> break
		od;
		n = 0
	}
}

proctype memory_of(byte who)
{
end:	do
	:: take_effect(who, 0)
	:: take_effect(who, 1)
	:: take_effect(who, 2)
	:: take_effect(who, 3)
	:: take_effect(who, 4)
	:: take_effect(who, 5)
	od
}

/* --- The producer: hft_ring_full() and hft_ring_put() of drivers/char/hft.c. --- */

bool producer_finished;

/* Unsigned distance, as in the kernel: there it is 64 bits wide, here 8. */
#define DISTANCE(head, tail)	(((head) - (tail)) & 255)

#if defined(FULL_OFF_BY_ONE)
#define FULL(distance)	((distance) > SLOTS)
#elif defined(TAIL_BELIEVED)
#define FULL(distance)	((distance) == SLOTS)
#else
#define FULL(distance)	((distance) >= SLOTS)
#endif

proctype producer()
{
	byte head;		/* its own; the shared one follows */
	byte tail_seen;		/* its own copy of the tail */
	byte sequence;
	byte slot;

	do
	:: atomic { sequence < MESSAGES -> sequence++;
		/* hft_ring_full(): the shared tail is looked at only when the ring seems full. */
		if
		:: FULL(DISTANCE(head, tail_seen)) ->
			load_acquire(PRODUCER, TAIL);
			landed[TAIL];	/* the branch waits for it */
			tail_seen = loaded[TAIL];
			landed[TAIL] = false;
			loaded[TAIL] = 0
		:: else
		fi;
		if
		:: FULL(DISTANCE(head, tail_seen)) ->
			printf("producer  drops message %d: tail %d, head %d\n", sequence, tail_seen, head);
			dropped++
		:: else ->
#ifdef WILD_TAIL
			/* Whatever user space writes: it goes by a tail that can be, or not at all. */
			assert(tail_seen <= head && head < tail_seen + SLOTS);
#endif
			/* hft_ring_put(): no index comes from the tail, the slot is within the ring. */
			slot = head % SLOTS;
			printf("producer  puts message %d into slot %d\n", sequence, slot);
#ifdef HEAD_BEFORE_SLOT
			store_release(PRODUCER, HEAD, head + 1);
#endif
			store_slot(PRODUCER, STAMP(slot), STAMP_OF(sequence), head);
#ifndef NO_WMB
			smp_wmb(PRODUCER);
#endif
			store_slot(PRODUCER, SEQUENCE(slot), sequence, head);
			head++;
#if defined(NO_HEAD_RELEASE)
			store(PRODUCER, HEAD, head);
#elif !defined(HEAD_BEFORE_SLOT)
			store_release(PRODUCER, HEAD, head);
#endif
			slot = 0
		fi }
	:: else -> break
	od;

	assert(head + dropped == MESSAGES);
	cpu[PRODUCER].count == 0;
	producer_finished = true
}

/* --- The consumer: poll_ring() of client.cpp. --- */

/* What it waits for, and what says that it is there. */
#ifdef WAIT_FOR_HEAD
#define AWAITED(slot)	HEAD
#define THERE(slot)	(loaded[HEAD] != tail)
#else
#define AWAITED(slot)	SEQUENCE(slot)
#define THERE(slot)	(loaded[SEQUENCE(slot)] > last)
#endif

/* The loads of the slot that come after the one it waits for. */
inline load_slot(slot)
{
#ifdef WAIT_FOR_HEAD
	load(CONSUMER, SEQUENCE(slot));
#endif
	load(CONSUMER, STAMP(slot))
}

/* A word that was loaded has been used, or will not be. */
inline forget_words(slot)
{
	landed[HEAD] = false;
	loaded[HEAD] = 0;
	landed[SEQUENCE(slot)] = false;
	loaded[SEQUENCE(slot)] = 0;
	landed[STAMP(slot)] = false;
	loaded[STAMP(slot)] = 0
}

/*
 * Any tail at all, before the right one. One that says more than was read is a
 * lie, if it can be: the consumer asks for its slots to be overwritten. One
 * that cannot be, today or ever, costs it messages while it stands there, and
 * nothing else.
 */
inline write_wild_tail()
{
	if
	:: wild = 0
	:: wild = tail
	:: wild = tail + 2; lied = true
	:: wild = tail + SLOTS + 2; lied = true
	:: wild = 128
	:: wild = 255
	:: goto honest
	fi;
	store(CONSUMER, TAIL, wild);
honest:	wild = 0
}

proctype consumer()
{
	byte tail;		/* its own: messages taken */
	byte last;		/* the sequence of the last one */
	byte slot;
	byte wild;
	byte n;
	bool last_look;

	do
	:: atomic {
		slot = tail % SLOTS;
		last_look = producer_finished;
#ifdef NO_ACQUIRE
		load(CONSUMER, AWAITED(slot));
#else
		load_acquire(CONSUMER, AWAITED(slot));
#endif
#ifndef TAIL_TOO_EARLY
		load_slot(slot);
#endif
		landed[AWAITED(slot)];
		if
		:: !THERE(slot) ->
			forget_loads(CONSUMER);
			forget_words(slot);
			if
			:: last_look -> break
			:: else
			fi
		:: else ->
			accepted++;
			reading = !(landed[SEQUENCE(slot)] && landed[STAMP(slot)]);
#ifdef WILD_TAIL
			write_wild_tail();
#endif
			tail++;
#ifdef NO_TAIL_RELEASE
			store(CONSUMER, TAIL, tail);
#else
			store_release(CONSUMER, TAIL, tail);
#endif
#ifdef TAIL_TOO_EARLY
			load_slot(slot);
#endif
			landed[SEQUENCE(slot)] && landed[STAMP(slot)];
			printf("consumer  takes message %d with stamp %d from slot %d\n",
			       loaded[SEQUENCE(slot)], loaded[STAMP(slot)], slot);
			/* The message is whole, newer than the last one, and so none is taken twice. */
			assert(lied || loaded[STAMP(slot)] == STAMP_OF(loaded[SEQUENCE(slot)]));
			assert(lied || loaded[SEQUENCE(slot)] > last);
			last = loaded[SEQUENCE(slot)];
			forget_words(slot)
		fi;
		slot = 0;
		last_look = false }
	od;

#ifdef DENY_ALL_TAKEN
	assert(tail < MESSAGES);
#endif
#ifdef DENY_TAKEN_AFTER_DROP
	assert(dropped == 0 || last < MESSAGES);
#endif
	/* Each message was taken or counted as dropped. */
	assert(lied || tail + dropped == MESSAGES)
}

init {
	atomic {
		run memory_of(PRODUCER);
		run memory_of(CONSUMER);
		run producer();
		run consumer()
	}
}
