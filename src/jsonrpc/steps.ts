/** Work that takes longer than a process should stand still for, cut into steps by whoever does it. */

/** Between two of them other work of the process may come; the last one gives the result. */
export type Steps<Result = undefined> = Generator<undefined, Result, undefined>;

/** All steps, one after the other. */
export function inOneGo<Result>(steps: Steps<Result>): Result {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}
