import type { Answerer, Question, Reply } from './answerer.ts';

type Language = 'pt' | 'en';

interface Rule {
  topic: string;
  pattern: RegExp;
  reply: Record<Language, string>;
}

// The first that matches answers, so the more urgent topics come first. Patterns see lower case without accents.
const RULES: readonly Rule[] = [
  {
    topic: 'outage',
    pattern:
      /\b(sem (internet|conexao|sinal)|caiu|fora do ar|nao conecta|no (internet|connection|signal)|outage|offline|down)\b/,
    reply: {
      pt: 'Sinto muito pela falta de conexão. Verifique se a luz PON ou LOS do equipamento está vermelha e desligue-o da tomada por 30 segundos. Se não voltar em 5 minutos, um técnico será acionado.',
      en: 'I am sorry that you are without a connection. Check whether the PON or LOS light is red, and unplug the device for 30 seconds. If it is not back in 5 minutes, a technician will be sent.',
    },
  },
  {
    topic: 'slow',
    pattern: /\b(lent[ao]|lentidao|devagar|travando|velocidade|slow|speed|lag(ging)?|buffering)\b/,
    reply: {
      pt: 'Para a internet lenta: reinicie o roteador, teste a velocidade por cabo e aproxime-se do Wi-Fi de 5 GHz. Envie o resultado do teste e compararemos com o seu plano.',
      en: 'For a slow connection: restart the router, measure the speed by cable, and prefer the 5 GHz Wi-Fi. Send us the result and we will compare it with your plan.',
    },
  },
  {
    topic: 'cancel',
    pattern: /\b(cancel\w*|rescindir|encerrar|terminate)\b/,
    reply: {
      pt: 'Lamentamos que pense em cancelar. O pedido foi anotado e um atendente explicará prazos, multa (se houver) e alternativas antes de qualquer mudança.',
      en: 'We are sorry that you think of cancelling. Your request is noted, and an agent will explain the dates, any fee and the alternatives before anything changes.',
    },
  },
  {
    topic: 'bill',
    pattern: /\b(fatura|boleto|conta|cobranca|pagamento|segunda via|bill(ing)?|invoice|payment|charged?)\b/,
    reply: {
      pt: 'A segunda via da fatura e o código de pagamento estão na área do cliente, em Faturas. Pagamentos são reconhecidos em até 2 dias úteis.',
      en: 'A copy of the bill and its payment code are in the customer area, under Bills. Payments show up within 2 working days.',
    },
  },
  {
    topic: 'router',
    pattern: /\b(roteador|modem|wi-?fi|senha|router|password)\b/,
    reply: {
      pt: 'Para o roteador: o nome e a senha do Wi-Fi estão na etiqueta embaixo dele e podem ser trocados em http://192.168.0.1. Para restaurá-lo, segure o botão RESET por 10 segundos.',
      en: 'For the router: the Wi-Fi name and password are on the label below it and can be changed at http://192.168.0.1. To reset it, hold the RESET button for 10 seconds.',
    },
  },
  {
    topic: 'visit',
    pattern: /\b(tecnico|visita|instalacao|instalar|mudanca de endereco|technician|visit|install(ation)?|moving)\b/,
    reply: {
      pt: 'Visitas técnicas são agendadas de segunda a sábado, das 8h às 18h. Informe dois horários de sua preferência.',
      en: 'Technicians visit Monday to Saturday, 8:00 to 18:00. Tell us two times that suit you.',
    },
  },
  {
    topic: 'plan',
    pattern: /\b(planos?|upgrade|mega(s|bits)?|plans?)\b/,
    reply: {
      pt: 'Os planos disponíveis no seu endereço estão na área do cliente, em Meu plano. A troca vale a partir da próxima fatura.',
      en: 'The plans available at your address are in the customer area, under My plan. A change takes effect with the next bill.',
    },
  },
];

const OTHERWISE: Record<Language, string> = {
  pt: 'Recebemos a sua mensagem. Um atendente responderá em breve; enquanto isso, conte o que acontece e desde quando.',
  en: 'We have your message. An agent will reply soon; meanwhile, tell us what happens and since when.',
};

const ENGLISH = /\b(the|is|my|i|and|not|have|what|how|please|hello|internet is|want|need|slow|bill|help)\b/g;
const PORTUGUESE =
  /\b(o|a|esta|minha|meu|eu|e|nao|tenho|como|por favor|ola|bom dia|quero|preciso|lenta|conta|ajuda|sem|de)\b/g;

function languageOf(text: string): Language {
  const english = text.match(ENGLISH)?.length ?? 0;
  const portuguese = text.match(PORTUGUESE)?.length ?? 0;
  return english > portuguese ? 'en' : 'pt';
}

/** Chooses by topic, in the message's language, Portuguese when in doubt. Pure. */
export function replyByRules({
  text,
  customerName,
}: Pick<Question, 'text' | 'customerName'>): Reply & { topic: string } {
  const plain = text.toLowerCase().normalize('NFD').replace(/\p{M}/gu, '');
  const language = languageOf(plain);
  const rule = RULES.find(({ pattern }) => pattern.test(plain));
  const greeting = language === 'pt' ? 'Olá' : 'Hello';
  const [firstName] = customerName.split(' ');
  return {
    text: `${greeting}, ${firstName}. ${(rule?.reply ?? OTHERWISE)[language]}`,
    source: 'rules',
    topic: rule?.topic ?? 'other',
  };
}

export const rulesAnswerer: Answerer = {
  answer: async (question) => {
    const { text, source } = replyByRules(question);
    return { text, source };
  },
};
