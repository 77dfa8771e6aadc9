/** A customer's message with what was said before it. */
export interface Question {
  text: string;
  customerName: string;
  /** Oldest first; a message that nobody has answered yet has no answer. */
  history: { text: string; answer: string | null }[];
}

export interface Reply {
  text: string;
  /** What wrote it, kept with the answer. */
  source: string;
}

/** Writes the answer to a customer's message. */
export interface Answerer {
  answer(question: Question, signal: AbortSignal): Promise<Reply>;
}
