import { z } from 'zod';
import type { Answerer, Question } from './answerer.ts';

export interface OpenAiOptions {
  /** The base, as in https://models.example/v1. */
  url: string;
  model: string;
  apiKey?: string | undefined;
}

const SYSTEM =
  'You answer customers of an internet provider: briefly, politely, in the language of the customer. ' +
  'You never promise refunds or dates, and you never ask for passwords.';

const Completion = z.object({
  choices: z.array(z.object({ message: z.object({ content: z.string().min(1) }) })).min(1),
});

/** Asks a service that speaks OpenAI's chat completions. */
export function openAiAnswerer({ url, model, apiKey }: OpenAiOptions): Answerer {
  const endpoint = `${url.replace(/\/$/, '')}/chat/completions`;
  return {
    async answer(question, signal) {
      const response = await fetch(endpoint, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...(apiKey && { authorization: `Bearer ${apiKey}` }) },
        body: JSON.stringify({ model, messages: conversationOf(question) }),
        signal,
      });
      if (!response.ok) throw new Error(`${endpoint} answered ${response.status}`);
      const [choice] = Completion.parse(await response.json()).choices;
      if (!choice) throw new Error(`${endpoint} answered without a choice`);
      return { text: choice.message.content, source: model };
    },
  };
}

function conversationOf({ text, history }: Question): { role: string; content: string }[] {
  const before = history.flatMap((turn) => [
    { role: 'user', content: turn.text },
    ...(turn.answer ? [{ role: 'assistant', content: turn.answer }] : []),
  ]);
  return [{ role: 'system', content: SYSTEM }, ...before, { role: 'user', content: text }];
}
