/** Waits for something in a stream of values that begins with the present one; with a deadline, and a way to stop. */
import type { Observable } from 'rxjs';
import { fail, toVsbError } from '../../errors.ts';
import { startLimit } from '../../jsonrpc/timers.ts';
import { Subscription } from './streams.ts';

/** Limits of one wait. */
export interface WaitForOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The first thing that `read` finds: neither `undefined` nor `false`, so that a comparison can be waited for.
 * @param limits.what what is waited for, for messages
 * @param limits.timeoutMs absent: no deadline
 * @throws OVSDB_TIMEOUT; CANCELLED by the signal, or where the stream ends; what `read` throws
 */
export function waitForValue<V, T>(
  values$: Observable<V>,
  read: (value: V) => T | false | undefined,
  limits: {
    readonly what: string;
    readonly timeoutMs?: number | undefined;
    readonly signal?: AbortSignal | undefined;
  },
): Promise<T> {
  const { what, timeoutMs, signal } = limits;
  return new Promise((resolve, reject) => {
    const subscription = new Subscription();
    const settle = (act: () => void) => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      subscription.unsubscribe();
      act();
    };
    const onAbort = () => {
      settle(() => {
        reject(fail('CANCELLED', { what }));
      });
    };
    const onTime = () => {
      settle(() => {
        reject(fail('OVSDB_TIMEOUT', { what, limitMs: timeoutMs ?? 0 }));
      });
    };
    const timer = startLimit(timeoutMs, onTime);
    if (signal?.aborted === true) {
      onAbort();
      return;
    }
    signal?.addEventListener('abort', onAbort, { once: true });
    const look = (value: V) => {
      try {
        const found = read(value);
        if (found !== undefined && found !== false)
          settle(() => {
            resolve(found);
          });
      } catch (cause) {
        settle(() => {
          reject(toVsbError(cause));
        });
      }
    };
    subscription.add(values$.subscribe({ next: look, complete: onAbort }));
  });
}

/**
 * The end of some work, which goes on whatever becomes of the wait.
 * @param limits.timeoutMs absent: no deadline
 * @throws OVSDB_TIMEOUT, CANCELLED; what the work throws
 */
export async function waitForEnd(
  work: Promise<void>,
  limits: { readonly what: string } & Partial<WaitForOptions>,
): Promise<void> {
  const { what, timeoutMs, signal } = limits;
  // Its failure is told to who waits, and to nobody where nobody waits any more.
  work.catch(() => undefined);
  if (signal?.aborted === true) throw fail('CANCELLED', { what });
  let timer: ReturnType<typeof startLimit>;
  let onAbort: (() => void) | undefined;
  const limit = new Promise<never>((_, reject) => {
    onAbort = () => {
      reject(fail('CANCELLED', { what }));
    };
    timer = startLimit(timeoutMs, () => {
      reject(fail('OVSDB_TIMEOUT', { what, limitMs: timeoutMs ?? 0 }));
    });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
  try {
    await Promise.race([work, limit]);
  } finally {
    clearTimeout(timer);
    if (onAbort) signal?.removeEventListener('abort', onAbort);
  }
}
