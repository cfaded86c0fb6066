import { expect } from 'chai';
import { v5, validate, version } from 'uuid';
import { uuidFromNames } from '../../../src/units/uuid.ts';

describe('units/uuid', () => {
  it('is a version 5 UUID of the names, the same each time', () => {
    const uuid = uuidFromNames('site', 'web1', '0');
    expect(validate(uuid)).to.equal(true);
    expect(version(uuid)).to.equal(5);
    // Stored in external_ids of running switches: these must never change.
    expect(uuid).to.equal(v5('site/web1/0', '8d0a3b0e-5f0c-5c1d-9b1c-7673622d7573'));
    expect(uuidFromNames('site', 'wéb')).to.equal(v5('site/wéb', '8d0a3b0e-5f0c-5c1d-9b1c-7673622d7573'));
  });

  it('differs where a name differs', () => {
    expect(uuidFromNames('site', 'web1')).to.not.equal(uuidFromNames('site', 'web2'));
    expect(uuidFromNames('site', 'web1')).to.not.equal(uuidFromNames('site', 'web1', '0'));
  });
});
