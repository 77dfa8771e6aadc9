/**
 * What `work` gives, if it does so within `ms` milliseconds. Work that takes longer goes on, and how it ends is of no
 * interest any more.
 *
 * @throws what `work` throws, or an error that names the limit
 */
export async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  const expired = Promise.withResolvers<never>();
  const timer = setTimeout(() => expired.reject(new Error(`no answer within ${ms} ms`)), ms);
  try {
    return await Promise.race([work, expired.promise]);
  } finally {
    clearTimeout(timer);
  }
}
