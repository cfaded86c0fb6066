import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { toVsbError } from '../../../../src/errors.ts';
import { waitForEnd } from '../../../../src/ovsdb/client/waitfor.ts';

const code = (wait: Promise<void>): Promise<string> =>
  wait.then(
    () => 'ended',
    (thrown: unknown) => toVsbError(thrown).code,
  );

describe('waiting for the end of some work', () => {
  const never = new Promise<void>(() => undefined);

  it('ends with it, well or not', async () => {
    expect(await code(waitForEnd(Promise.resolve(), { what: 'a' }))).to.equal('ended');
    expect(await code(waitForEnd(delay(1), { what: 'a', timeoutMs: 10_000 }))).to.equal('ended');
    const failing = waitForEnd(Promise.reject(new Error('broken')), { what: 'a', timeoutMs: 10_000 });
    expect(await failing.catch((thrown: unknown) => thrown)).to.have.property('message', 'broken');
  });

  it('ends by its limits before', async () => {
    expect(await code(waitForEnd(never, { what: 'a', timeoutMs: 1 }))).to.equal('OVSDB_TIMEOUT');
    const controller = new AbortController();
    const waiting = code(waitForEnd(never, { what: 'a', signal: controller.signal }));
    controller.abort();
    expect(await waiting).to.equal('CANCELLED');
    expect(await code(waitForEnd(never, { what: 'a', signal: controller.signal }))).to.equal('CANCELLED');
  });

  it('does not mind that the work fails later', async () => {
    let fail: (cause: Error) => void = () => undefined;
    const work = new Promise<void>((_, reject) => {
      fail = reject;
    });
    expect(await code(waitForEnd(work, { what: 'a', timeoutMs: 1 }))).to.equal('OVSDB_TIMEOUT');
    fail(new Error('too late'));
    await delay(1);
  });
});
