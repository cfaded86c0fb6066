/**
 * A lock of an OVSDB server (RFC 7047 §4.1.8 to 4.1.11), held or queued for as long as its owner wants it, over any number
 * of sessions: after each reconnect it is asked for again. Who has the session is sharedlink.ts.
 */
import type { Observable } from 'rxjs';
import { fail } from '../../errors.ts';
import type { Answer } from '../../jsonrpc/session.ts';
import { refused, type Limits, type Requester } from './monitor.ts';
import { BehaviorSubject } from './streams.ts';
import { waitForEnd, waitForValue, type WaitForOptions } from './waitfor.ts';

/**
 * - `asking`: a server was asked and has not answered;
 * - `waiting`: another client has it, and this one is in the queue;
 * - `held`: it is ours;
 * - `stolen`: it was ours and another client took it; this one is in the queue again;
 * - `lost`: there is no link, so it is nobody's; it is asked for as soon as there is one;
 * - `released`: its owner let go.
 */
export type LockState = 'asking' | 'waiting' | 'held' | 'stolen' | 'lost' | 'released';

/** What happens to a lock. */
export type LockEvent = 'ask' | 'granted' | 'queued' | 'locked' | 'stolen' | 'link-lost' | 'release';

/** The state after an event. Pure. */
export function nextLockState(state: LockState, event: LockEvent): LockState {
  if (state === 'released') return state;
  switch (event) {
    case 'ask':
      return 'asking';
    case 'granted':
      // Told late, of a session that is over.
      return state === 'lost' ? state : 'held';
    case 'locked':
    case 'stolen':
      // Before the answer it is of a lock of this name that was released meanwhile.
      if (state === 'lost' || state === 'asking') return state;
      return event === 'locked' ? 'held' : 'stolen';
    case 'queued':
      return state === 'lost' || state === 'stolen' ? state : 'waiting';
    case 'link-lost':
      return 'lost';
    case 'release':
      return 'released';
  }
}

/** One lock. Made by `OvsdbConnection.lock`; the owner lets it go with `release` or `await using`. */
export class Lock implements AsyncDisposable {
  readonly name: string;
  readonly #onRelease: () => void;
  readonly #state = new BehaviorSubject<LockState>('lost');
  #steal: boolean;
  #session: Requester | undefined;
  /** Whether this session's asking was a theft. */
  #isThief = false;
  #limits: Limits | undefined;

  /**
   * @param options.steal takes it from whom has it, the first time that there is a link
   * @throws OVSDB_VALUE where the name is no `<id>`
   */
  constructor(name: string, options: { readonly steal: boolean; readonly onRelease: () => void }) {
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
      throw fail('OVSDB_VALUE', {
        where: 'the name of a lock',
        value: name,
        why: 'it is no <id> (RFC 7047 §3.1)',
      });
    this.name = name;
    this.#steal = options.steal;
    this.#onRelease = options.onRelease;
  }

  /** The state now. */
  get state(): LockState {
    return this.#state.value;
  }

  /** The state now, then each other one; completes at release. */
  get state$(): Observable<LockState> {
    return this.#state.asObservable();
  }

  /** Waits until it is ours. @throws OVSDB_TIMEOUT; CANCELLED by the signal, or where it is released before */
  async held(options: WaitForOptions): Promise<void> {
    const what = `waiting for the lock "${this.name}"`;
    await waitForValue(this.#state, (state) => (state === 'held' ? true : undefined), { ...options, what });
  }

  /**
   * Lets go of it, or of the place in the queue. Resolves when the server knows, or the link is lost.
   * @param options limits of that wait; it is let go of whatever becomes of it
   * @throws OVSDB_TIMEOUT, CANCELLED, by these limits
   */
  async release(options: Partial<WaitForOptions> = {}): Promise<void> {
    if (this.state === 'released') return;
    const [session, limits] = [this.#session, this.#limits];
    this.#happen('release');
    this.#state.complete();
    this.#onRelease();
    if (!session || !limits) return;
    const unlocked = session.request('unlock', [this.name], limits).then(() => undefined);
    await waitForEnd(unlocked, { ...options, what: `letting go of the lock "${this.name}"` });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }

  /** A new session is up. @throws OVSDB_REQUEST_REFUSED; OVSDB_LINK_LOST, OVSDB_TIMEOUT, CANCELLED */
  async ask(session: Requester, limits: Limits): Promise<void> {
    this.#session = session;
    this.#limits = limits;
    this.#happen('ask');
    // By who is told of it: `unlock` is on its way already.
    if (this.state === 'released') return;
    // Once only: two who steal at each reconnect would never end.
    const method = this.#steal ? 'steal' : 'lock';
    this.#isThief = this.#steal;
    const answer = await session.request(method, [this.name], {
      ...limits,
      onResult: (result) => {
        this.#steal = false;
        if (this.#session === session) this.#happen(isLocked(result) ? 'granted' : 'queued');
      },
    });
    if (answer.kind === 'lost') throw answer.reason;
    if (answer.kind === 'error') throw refused(method, answer);
  }

  /** The server says `locked` or `stolen`. */
  hear(event: 'locked' | 'stolen'): void {
    this.#happen(event);
    // Who stole is not put into the queue where it is stolen from (ovsdb-server 3.1), and must let go before it asks again.
    if (event === 'stolen' && this.state === 'stolen' && this.#isThief) void this.#queue();
  }

  /** The session is gone, and with it the lock. */
  lose(): void {
    this.#session = undefined;
    this.#happen('link-lost');
  }

  async #queue(): Promise<void> {
    const [session, limits] = [this.#session, this.#limits];
    if (!session || !limits) return;
    this.#isThief = false;
    const unlocked = session.request('unlock', [this.name], limits);
    // What is lost with the link is asked for on the next one.
    const locked = session.request('lock', [this.name], {
      ...limits,
      onResult: (result): undefined => {
        if (this.#session === session) this.#happen(isLocked(result) ? 'granted' : 'queued');
      },
    });
    await Promise.all([unlocked, locked]);
  }

  #happen(event: LockEvent): void {
    const next = nextLockState(this.state, event);
    if (next !== this.state) this.#state.next(next);
  }
}

/** RFC 7047 §4.1.8: `{"locked": boolean}`. */
function isLocked(result: unknown): boolean {
  return typeof result === 'object' && result !== null && 'locked' in result && result.locked === true;
}

/** The operations, made only if this client holds the lock (RFC 7047 §5.2.10): first, so that no other fails before. */
export function withAssertion<O>(
  lock: string,
  operations: readonly O[],
): readonly (O | { readonly op: 'assert'; readonly lock: string })[] {
  return [{ op: 'assert', lock }, ...operations];
}

/** The answer as if there had been no assertion; where that failed it is kept, to be read. */
export function withoutAssertion(answer: Answer): Answer {
  if (answer.kind !== 'result' || !Array.isArray(answer.result)) return answer;
  const [first, ...others] = answer.result as readonly unknown[];
  const isFailed = typeof first === 'object' && first !== null && 'error' in first;
  return isFailed ? answer : { kind: 'result', result: others };
}
