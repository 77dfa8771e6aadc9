import { expect } from 'chai';
import {
  deadlineExceeded,
  errorFromResponse,
  errorFromStatus,
  isAlreadyExists,
  isConflict,
  isGone,
  isInvalid,
  isNotFound,
  isResourceVersionTooLarge,
  isTooManyRequests,
  unreachable,
} from './errors.ts';

describe('errors of the API server', () => {
  it('take code, reason, message and details from the Status object', () => {
    const body = JSON.stringify({
      kind: 'Status',
      status: 'Failure',
      message: 'pods "a" not found',
      reason: 'NotFound',
      code: 404,
      details: { name: 'a', kind: 'pods' },
    });
    const error = errorFromResponse(404, body);
    expect(error).to.include({ code: 'KUBE_NOT_FOUND', status: 404, reason: 'NotFound', retryable: false });
    expect(error.message).to.equal('NotFound (404): pods "a" not found');
    expect(error.details?.name).to.equal('a');
    expect(isNotFound(error)).to.equal(true);
  });

  it('are told apart although they share the status 409', () => {
    const conflict = errorFromStatus({ code: 409, reason: 'Conflict' });
    const exists = errorFromStatus({ code: 409, reason: 'AlreadyExists' });
    expect([isConflict(conflict), isAlreadyExists(conflict)]).to.deep.equal([true, false]);
    expect([isConflict(exists), isAlreadyExists(exists)]).to.deep.equal([false, true]);
  });

  it('have a reason and the text when something in front of the server answers', () => {
    const error = errorFromResponse(503, '<html>upstream connect error</html>');
    expect(error).to.include({ code: 'KUBE_SERVICE_UNAVAILABLE', retryable: true });
    expect(error.message).to.include('upstream connect error');
    expect(isGone(errorFromResponse(410, '{"broken'))).to.equal(true);
    expect(isTooManyRequests(errorFromResponse(429, ''))).to.equal(true);
  });

  it('say how long the server asked to wait, by header or by details', () => {
    const status = { code: 429, reason: 'TooManyRequests', details: { retryAfterSeconds: 3 } };
    expect(errorFromStatus(status).retryAfterMs).to.equal(3_000);
    expect(errorFromStatus(status, '7').retryAfterMs).to.equal(7_000);
    expect(errorFromStatus({ code: 429 }, 'tomorrow').retryAfterMs).to.equal(undefined);
  });

  it('tell what a later try can survive from what it cannot', () => {
    const retryable = [409, 429, 500, 503, 504].map((code) => errorFromStatus({ code }).retryable);
    const final = [400, 401, 403, 404, 422].map((code) => errorFromStatus({ code }).retryable);
    expect(retryable).to.deep.equal([true, true, true, true, true]);
    expect(final).to.deep.equal([false, false, false, false, false]);
    expect(isInvalid(errorFromStatus({ code: 422 }))).to.equal(true);
  });

  it('know a version that the server has not seen yet', () => {
    const causes = [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }];
    expect(isResourceVersionTooLarge(errorFromStatus({ code: 504, reason: 'Timeout', details: { causes } }))).to.equal(
      true,
    );
    expect(isResourceVersionTooLarge(errorFromStatus({ code: 504, reason: 'Timeout' }))).to.equal(false);
  });

  it('are retryable and keep their cause when no answer came', () => {
    const cause = new Error('ECONNRESET');
    expect(unreachable('GET /', cause)).to.include({ code: 'KUBE_UNREACHABLE', status: 0, retryable: true, cause });
    expect(deadlineExceeded('GET /')).to.include({ code: 'KUBE_DEADLINE_EXCEEDED', status: 0, retryable: true });
  });
});
