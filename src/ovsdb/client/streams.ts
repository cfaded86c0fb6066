/**
 * What this room uses of rxjs, from the files that define it. The package's index loads 200 more: twice the time of all of
 * the client's own, at each start of a command that talks to Open vSwitch. Types come from the index, which is free.
 */
import { Observable } from 'rxjs/internal/Observable';

export { BehaviorSubject } from 'rxjs/internal/BehaviorSubject';
export { Subject } from 'rxjs/internal/Subject';
export { Subscription } from 'rxjs/internal/Subscription';

/** The values of both, until one of them ends. In place of rxjs' `merge`, which loads 30 files more. */
export function either<A, B>(a$: Observable<A>, b$: Observable<B>): Observable<A | B> {
  return new Observable((subscriber) => {
    const observer = {
      next: (value: A | B) => {
        subscriber.next(value);
      },
      error: (cause: unknown) => {
        subscriber.error(cause);
      },
      complete: () => {
        subscriber.complete();
      },
    };
    const both = a$.subscribe(observer);
    both.add(b$.subscribe(observer));
    return both;
  });
}
