/**
 * Ends with the work, or at once with the signal's reason when that fires. An aborted request to a host that swallows packets is only
 * told so by its library when connecting is given up, seconds later. What the work comes to after that goes to `late`.
 */
export async function abortable<T>(
  work: Promise<T>,
  signal: AbortSignal,
  late: (result: T) => void = () => undefined,
): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  const onAbort = (): void => aborted.reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  let left = true;
  try {
    const result = await Promise.race([work, aborted.promise]);
    left = false;
    return result;
  } finally {
    signal.removeEventListener('abort', onAbort);
    // Nobody waits for it any more, so its failure is nobody's either.
    if (left) work.then(late, () => undefined);
  }
}
