import { expect } from 'chai';
import fc from 'fast-check';
import { HostLoss } from '../../../../src/traffic/pairs/hostloss.ts';

describe('packets lost on the host', () => {
  it('are what a device received and no table saw, as soon as the tables must have seen the rest', () => {
    const loss = new HostLoss();
    expect(loss.take(at(0, 100, 100))).to.equal(0n);
    expect(loss.take(at(1000, 200, 150))).to.equal(0n);
    expect(loss.take(at(3000, 200, 170))).to.equal(30n);
    expect(loss.take(at(5000, 400, 370)), 'and stay').to.equal(30n);
  });

  it('go on where counting begins anew, and are none for what was there before', () => {
    const loss = new HostLoss();
    loss.take(at(0, 100, 0));
    expect(loss.take(at(3000, 100, 0))).to.equal(0n);
    loss.take(at(4000, 150, 10));
    expect(loss.take(at(7000, 150, 10))).to.equal(40n);
    expect(loss.take({ ...at(8000, 5, 0), epoch: 'b' })).to.equal(40n);
    expect(loss.take({ ...at(11_000, 9, 0), epoch: 'b' })).to.equal(40n);
    expect(loss.take({ ...at(14_000, 9, 0), epoch: 'b' })).to.equal(44n);
  });

  it('are none where a device is made anew, whose count begins at 0', () => {
    const loss = new HostLoss();
    loss.take(at(0, 1000, 1000));
    expect(loss.take(at(3000, 1000, 1000))).to.equal(0n);
    expect(loss.take(at(4000, 0, 1000))).to.equal(0n);
    expect(loss.take(at(5000, 10, 1010))).to.equal(0n);
    loss.take(at(6000, 15, 1010));
    expect(loss.take(at(9000, 15, 1010))).to.equal(5n);
  });

  it('are none where the tables begin to count for another name', () => {
    const loss = new HostLoss();
    loss.take(at(0, 1000, 1000));
    expect(loss.take(at(3000, 1000, 1000))).to.equal(0n);
    expect(loss.take(at(4000, 1000, 0))).to.equal(0n);
    expect(loss.take(at(7000, 1010, 10))).to.equal(0n);
  });

  it('are not told while counts are on their way', () => {
    const loss = new HostLoss();
    loss.take(at(0, 0, 0));
    loss.take(at(1000, 50, 0));
    expect(loss.take({ ...at(4000, 50, 0), isSettled: false })).to.equal(0n);
    expect(loss.take(at(5000, 50, 50))).to.equal(0n);
  });

  it('are never more than there were, and all of them once it is quiet, whatever the lag', () => {
    const step = fc.record({
      ms: fc.integer({ min: 10, max: 1500 }),
      sent: fc.nat(100),
      lost: fc.nat(20),
      lagMs: fc.nat(500),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const loss = new HostLoss();
        const [forwardedAt, lostAt]: [number[], number[]] = [[], []];
        let [nowMs, received, counted] = [0, 0, 0];
        loss.take(at(0, 0, 0));
        for (const { ms, sent, lost, lagMs } of steps) {
          nowMs += ms;
          received += sent + lost;
          for (let packet = 0; packet < sent; packet++) forwardedAt.push(nowMs);
          for (let packet = 0; packet < lost; packet++) lostAt.push(nowMs);
          counted = Math.max(counted, forwardedAt.filter((when) => when <= nowMs - lagMs).length);
          expect(Number(loss.take(at(nowMs, received, counted)))).to.be.at.most(lostAt.length);
        }
        loss.take(at(nowMs + 1000, received, forwardedAt.length));
        const quiet = Number(loss.take(at(nowMs + 4000, received, forwardedAt.length)));
        expect(quiet).to.be.at.most(lostAt.length);
        if (steps.every(({ lagMs }) => lagMs === 0)) expect(quiet).to.equal(lostAt.length);
      }),
    );
  });
});

function at(atMs: number, received: number, forwarded: number) {
  const [receivedPackets, forwardedPackets] = [BigInt(received), BigInt(forwarded)];
  return { atMs, receivedPackets, forwardedPackets, isSettled: true, epoch: 'a' };
}
