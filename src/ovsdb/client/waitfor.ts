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
