/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The wait queue of stage 1, for spin: can the producer's wake-up get lost
 * between the reader's look at the queue and its sleep? The reader is
 * hft_read() with what wait_event_interruptible() makes of it: it gets itself
 * onto the wait queue, looks once more, and only then sleeps. The mistake,
 * CHECK_BEFORE_PREPARE, looks first: a message and its wake-up that come
 * between the look and the wait queue find nobody there, and the reader sleeps
 * on them. spin reports that as an invalid end state.
 *
 * Steps here happen one after the other, nothing overtakes: both sides take
 * the wait queue's lock between what they write and what they look at, and
 * set_current_state() has a full barrier. Signals are left out.
 */
#define MESSAGES	3

byte in_queue;		/* hft_queue.head - hft_queue.tail */
bool waiting;		/* the reader is on hft_queue.wait */
bool asleep;		/* its state is TASK_INTERRUPTIBLE: schedule() takes it off the CPU */

proctype producer()
{
	byte sequence;

	do
	:: sequence < MESSAGES ->
		sequence++;
		atomic { printf("producer  puts message %d\n", sequence); in_queue++ }
		/* wake_up_interruptible(), under the lock: wakes who is there, and takes it off. */
		d_step { printf("producer  wakes %d\n", waiting); asleep = false; waiting = false }
	:: else -> break
	od
}

inline prepare_to_wait()
{
	d_step { printf("reader    is on the wait queue\n"); waiting = true; asleep = true }
}

proctype reader()
{
	byte taken;

	do
	:: in_queue > 0 -> atomic { in_queue--; taken++; printf("reader    takes message %d\n", taken) }
	:: in_queue == 0 && taken == MESSAGES -> break
	:: in_queue == 0 && taken < MESSAGES ->
		printf("reader    finds the queue empty\n");
#ifdef CHECK_BEFORE_PREPARE
		prepare_to_wait();
		!asleep;		/* schedule() */
#else
		prepare_to_wait();
		if
		:: in_queue > 0
		:: in_queue == 0 -> !asleep	/* schedule() */
		fi;
#endif
		d_step { waiting = false; asleep = false }	/* finish_wait() */
	od
}

init { atomic { run producer(); run reader() } }
