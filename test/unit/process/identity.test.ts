import { expect } from 'chai';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { hasEnded, ownIdentity } from '../../../src/process/identity.ts';

describe('process: identity', () => {
  it('tells a process that runs from one that has ended, also where its pid is in use again', async () => {
    const own = await ownIdentity();
    expect(own).to.match(
      new RegExp(`^pid ${String(process.pid)} on \\S+ \\(start \\d+, pidns .*, boot .*\\)$`),
    );
    expect(await hasEnded(own)).to.equal(false);
    expect(await hasEnded(own.replace(/start \d+/, 'start 1')), 'the pid of another').to.equal(true);
    const child = spawn('true');
    const { pid } = child;
    await once(child, 'close');
    expect(await hasEnded(own.replace(/^pid \d+/, `pid ${String(pid)}`))).to.equal(true);
  });

  it('judges no process that cannot be seen from here', async () => {
    const own = (await ownIdentity()).replace(/start \d+/, 'start 1');
    expect(await hasEnded(own.replace(/boot .*\)/, 'boot another)'))).to.equal(false);
    expect(await hasEnded(own.replace(/pid:\[\d+\]/, 'pid:[1]')), 'a container').to.equal(false);
    for (const text of ['', 'pid 1', 'whatever']) expect(await hasEnded(text), text).to.equal(false);
  });
});
