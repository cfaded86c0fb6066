/**
 * A link that stays: sessions one after the other with one of several remotes, or with whoever calls us. Does what the
 * state machine (reconnect.ts, run by driver.ts) says is due and tells it what happened. Knows no database: what is
 * asked of a session, and when the first copy of the data is complete, is its owner's business.
 */
import { fail, toVsbError, type VsbError } from '../errors.ts';
import { Driver, type Act } from './driver.ts';
import { Listener, type Callee } from './listener.ts';
import { BACKOFF, PROBE_INTERVAL_MS, type BackoffLimits, type ReconnectRules } from './reconnect.ts';
import { isPassive, isTls, parseRemotes, type ActiveRemote, type PassiveRemote } from './remote.ts';
import { Session, type SessionListener, type Traffic } from './session.ts';
import { LONGEST_TIMER_MS } from './timers.ts';
import { readTls, type TlsFiles } from './tls.ts';

export interface LinkOptions {
  /** Each as `parseRemotes` takes it: one or more to connect to, or one to be called at. */
  readonly remotes: readonly string[];
  /** Needed for `ssl:` and `pssl:`. */
  readonly tls?: TlsFiles | undefined;
  /** For one socket to connect, TLS handshake included. */
  readonly connectTimeoutMs: number;
  /** From up until `settled`; whatever is received, echo excepted, starts it anew. */
  readonly downloadTimeoutMs: number;
  /**
   * Silence before a probe, and again before a peer that does not answer it is left; 0: never. Default: 5000, on unix
   * sockets 0, where the kernel tells of a peer's end (both as Open vSwitch).
   */
  readonly probeIntervalMs?: number | undefined;
  /** Default: 1 to 8 s, as Open vSwitch. */
  readonly backoff?: BackoffLimits | undefined;
  /** Shuffles the remotes, once at the start, so that clients spread over a cluster. Default: Math.random. */
  readonly random?: (() => number) | undefined;
  readonly log?: ((level: LogLevel, message: string) => void) | undefined;
}

/** How much a line of the log matters; `warn`: somebody may have to do something. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** How the link is. `listening`'s remote is as it came out, with the port that port 0 became. */
export type LinkState =
  | { readonly at: 'connecting'; readonly remote: string }
  | { readonly at: 'listening'; readonly remote: string }
  | { readonly at: 'up'; readonly remote: string }
  | { readonly at: 'backoff'; readonly retryInMs: number; readonly reason: VsbError }
  | { readonly at: 'closed' };

/** Who a link reports to. */
export interface LinkListener {
  /** A new session; the one before is over, and what was pending on it has been settled as `lost`. */
  onUp(session: Session): void;
  /** Strictly in the order of arrival; what it throws ends the session. */
  onNotification(method: string, params: readonly unknown[]): void;
  onState(state: LinkState): void;
}

/** What has gone over all sessions of a link. */
export interface LinkStats extends Traffic {
  /** Sessions that there were. */
  readonly connects: number;
  readonly probesSent: number;
}

const NO_TRAFFIC: Traffic = { bytesReceived: 0, bytesSent: 0, messagesReceived: 0, messagesSent: 0 };

/** The owner ends it with `close`. */
export class Link implements AsyncDisposable {
  readonly #options: LinkOptions;
  readonly #listener: LinkListener;
  readonly #passive: PassiveRemote | undefined;
  /** In the order in which they are tried. */
  readonly #actives: readonly ActiveRemote[];
  readonly #rules: ReconnectRules;
  readonly #driver: Driver;
  /** Which of the remotes is next. */
  #turn = 0;
  /** Ends the current try. */
  #attempt: AbortController | undefined;
  #ear: Listener | undefined;
  #session: Session | undefined;
  #peer = '';
  #leaving: { readonly reason: VsbError; readonly level: LogLevel } | undefined;
  /** Of the sessions that are over. */
  #past = NO_TRAFFIC;
  #connects = 0;
  #probes = 0;
  #closed: Promise<void> | undefined;

  /** @throws REMOTE_INVALID, REMOTE_UNSUPPORTED, REMOTES_MIXED, TLS_FILES_MISSING, TLS_FILE_INVALID, TLS_KEY_MISMATCH */
  constructor(options: LinkOptions, listener: LinkListener) {
    this.#options = options;
    this.#listener = listener;
    const remotes = options.remotes.flatMap(parseRemotes);
    const [first] = remotes;
    if (first === undefined || (remotes.length > 1 && remotes.some(isPassive)))
      throw fail('REMOTES_MIXED', { remotes: remotes.map(({ text }) => text) });
    for (const remote of remotes.filter(isTls)) {
      if (!options.tls) throw fail('TLS_FILES_MISSING', { remote: remote.text });
      readTls(options.tls);
    }
    this.#passive = isPassive(first) ? first : undefined;
    const actives = remotes.filter((remote): remote is ActiveRemote => !isPassive(remote));
    this.#actives = shuffled(actives, options.random ?? Math.random);
    const isLocal = remotes.every(({ method }) => method === 'unix' || method === 'punix');
    this.#rules = {
      remotes: remotes.length,
      isPassive: this.#passive !== undefined,
      connectTimeoutMs: options.connectTimeoutMs,
      downloadTimeoutMs: options.downloadTimeoutMs,
      probeIntervalMs: options.probeIntervalMs ?? (isLocal ? 0 : PROBE_INTERVAL_MS),
      backoff: options.backoff ?? BACKOFF,
    };
    this.#driver = new Driver(this.#rules, (what) => {
      this.#do(what);
    });
  }

  /** Connects or listens, and keeps at it until `close`. */
  start(): void {
    if (!this.#closed) this.#driver.tell('start');
  }

  /**
   * Leaves this server for the next remote; with free tries left, at once.
   * @param level how much it matters: in a cluster it is no trouble (not the leader, stale), `info`
   */
  leave(reason: VsbError, level: LogLevel = 'info'): void {
    this.#leaving = { reason, level };
    this.#driver.tell('leave');
  }

  /** The owner has what it wanted: the download limit ends, and from now on the link can earn its good name again. */
  settled(): void {
    this.#driver.tell('settled');
  }

  /** Counted over all sessions until now. */
  get stats(): LinkStats {
    const traffic = this.#session ? sum(this.#past, this.#session.traffic) : this.#past;
    return { ...traffic, connects: this.#connects, probesSent: this.#probes };
  }

  /** Ends the session or the try, and listens no more; resolves when the socket is closed. What is pending is `lost`. */
  close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = this.#forgetSession()?.close() ?? Promise.resolve();
      this.#driver.tell('stop');
      this.#attempt?.abort();
      this.#ear?.close();
      this.#listener.onState({ at: 'closed' });
    }
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #do(what: Act): void {
    switch (what.do) {
      case 'connect':
        if (this.#passive) this.#listen(this.#passive);
        else this.#connect();
        break;
      case 'probe':
        this.#probes += 1;
        this.#session?.probe();
        this.#driver.note('probed');
        break;
      case 'disconnect':
        this.#giveUp(this.#reasonFor(what.because));
        break;
    }
  }

  #reasonFor(because: (Act & { readonly do: 'disconnect' })['because']): VsbError {
    const { connectTimeoutMs, downloadTimeoutMs, probeIntervalMs } = this.#rules;
    const remote = this.#peer;
    switch (because) {
      case 'connect-limit':
        return fail('OVSDB_TIMEOUT', { what: `connecting to "${remote}"`, limitMs: connectTimeoutMs });
      case 'download-limit': {
        const what = `waiting for the first copy of the data from "${remote}"`;
        return fail('OVSDB_TIMEOUT', { what, limitMs: downloadTimeoutMs });
      }
      case 'no-answer':
        return fail('OVSDB_LINK_LOST', {
          remote,
          why: `it has not answered a probe for ${String(probeIntervalMs)} ms`,
        });
      case 'asked':
        return this.#leaving?.reason ?? fail('CANCELLED', { what: `the link to "${remote}" was left` });
    }
  }

  #connect(): void {
    const remote = this.#actives[this.#turn % this.#actives.length] as ActiveRemote;
    this.#turn += 1;
    this.#peer = remote.text;
    const attempt = new AbortController();
    this.#attempt = attempt;
    this.#driver.note('connecting');
    this.#listener.onState({ at: 'connecting', remote: remote.text });
    Session.open(remote, this.#ofSession, { signal: attempt.signal, tls: this.#options.tls }).then(
      (session) => {
        if (attempt.signal.aborted) void session.close();
        else this.#takeUp(session);
      },
      (cause: unknown) => {
        if (!attempt.signal.aborted) this.#lose(toVsbError(cause));
      },
    );
  }

  /** Goes on listening where a session was lost; begins where there is nothing yet, or it broke. */
  #listen(remote: PassiveRemote): void {
    this.#driver.note('listening');
    if (this.#ear) {
      this.#listener.onState({ at: 'listening', remote: this.#ear.remote });
      return;
    }
    const options = {
      tls: this.#options.tls,
      handshakeTimeoutMs: Math.min(this.#rules.connectTimeoutMs, LONGEST_TIMER_MS),
    };
    Listener.open(remote, this.#ofEar, options).then(
      (ear) => {
        if (this.#closed) {
          ear.close();
          return;
        }
        this.#ear = ear;
        this.#log('info', `listening at ${ear.remote}`);
        this.#listener.onState({ at: 'listening', remote: ear.remote });
      },
      (cause: unknown) => {
        this.#lose(toVsbError(cause));
      },
    );
  }

  readonly #ofEar: Callee = {
    onCall: (socket, caller) => {
      if (this.#session) {
        const why = `a newer call came, from ${caller}`;
        this.#giveUp(fail('OVSDB_LINK_LOST', { remote: this.#peer, why }));
      }
      if (this.#closed) {
        socket.destroy();
        return;
      }
      this.#peer = caller;
      this.#takeUp(Session.over(socket, caller, this.#ofSession));
    },
    onRefused: (why) => {
      this.#log('warn', `refused ${why}`);
    },
    onBroken: (reason) => {
      this.#ear = undefined;
      // While there is a session, nobody is waited for.
      if (!this.#session) this.#lose(reason);
    },
  };

  /** A session that was closed tells nothing more, so what comes is from the current one. */
  readonly #ofSession: SessionListener = {
    onNotification: (method, params) => {
      this.#listener.onNotification(method, params);
    },
    onReceived: (isProgress) => {
      this.#driver.tell(isProgress ? 'received' : 'keptAlive');
    },
    onLost: (reason) => {
      this.#lose(reason);
    },
  };

  #takeUp(session: Session): void {
    this.#attempt = undefined;
    this.#session = session;
    this.#connects += 1;
    this.#driver.note('connected');
    this.#log('info', `connected to ${this.#peer}`);
    this.#listener.onState({ at: 'up', remote: this.#peer });
    // Who is told may have left or closed it.
    if (this.#session === session) this.#listener.onUp(session);
    this.#driver.run();
  }

  #giveUp(reason: VsbError): void {
    this.#attempt?.abort();
    void this.#forgetSession()?.close(reason);
    this.#lose(reason);
  }

  #lose(reason: VsbError): void {
    if (this.#closed) return;
    this.#forgetSession();
    this.#attempt = undefined;
    const level = reason === this.#leaving?.reason ? this.#leaving.level : 'warn';
    this.#leaving = undefined;
    const isOldNews = this.#driver.backoffMs >= this.#rules.backoff.mostMs;
    this.#driver.note('lost');
    const retryInMs = this.#driver.pauseMs;
    const tell = (): void => {
      if (this.#closed) return;
      this.#log(isOldNews ? 'debug' : level, `${reason.message} Trying again in ${String(retryInMs)} ms.`);
    };
    if (retryInMs === 0) tell();
    this.#listener.onState({ at: 'backoff', retryInMs, reason });
    this.#driver.run();
    // Who has had enough closes the link in answer to that, and throws the reason: nothing is tried again then.
    if (retryInMs > 0) setImmediate(tell);
  }

  #forgetSession(): Session | undefined {
    const session = this.#session;
    if (session) this.#past = sum(this.#past, session.traffic);
    this.#session = undefined;
    return session;
  }

  #log(level: LogLevel, message: string): void {
    this.#options.log?.(level, message);
  }
}

function sum(a: Traffic, b: Traffic): Traffic {
  return {
    bytesReceived: a.bytesReceived + b.bytesReceived,
    bytesSent: a.bytesSent + b.bytesSent,
    messagesReceived: a.messagesReceived + b.messagesReceived,
    messagesSent: a.messagesSent + b.messagesSent,
  };
}

function shuffled<T>(items: readonly T[], random: () => number): T[] {
  const left = [...items];
  return items.map(() => left.splice(Math.floor(random() * left.length), 1)[0] as T);
}
