// Programs as users write them, with OpenAI's and Anthropic's libraries as they are. Run in a process that has the
// environment of a notebook's kernel; prints what the program of the given name came to, as JSON.

import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';

const GPT = 'gpt-4o-mini';
const CLAUDE = 'claude-haiku-4-5';
const messages = [{ role: 'user', content: 'What is six times seven?' }];
const chat = { model: GPT, max_tokens: 50, messages };
const message = { model: CLAUDE, max_tokens: 50, messages };
const parameters = { type: 'object', properties: { left: { type: 'integer' }, right: { type: 'integer' } } };
const schema = { type: 'object', properties: { value: { type: 'integer' } }, required: ['value'] };

async function textOf(stream, piece) {
  let text = '';
  for await (const event of stream) {
    text += piece(event) ?? '';
  }
  return text;
}

const PROGRAMS = {
  async chat() {
    return (await new OpenAI().chat.completions.create(chat)).choices[0].message.content;
  },
  async chatStream() {
    const stream = await new OpenAI().chat.completions.create({ ...chat, stream: true });
    return textOf(stream, chunk => chunk.choices[0].delta.content);
  },
  async chatStreamWithUsage() {
    const options = { ...chat, stream: true, stream_options: { include_usage: true } };
    let used = 0;
    for await (const chunk of await new OpenAI().chat.completions.create(options)) {
      used = chunk.usage?.total_tokens ?? used;
    }
    return used;
  },
  async chatEvents() {
    return new OpenAI().chat.completions.stream(chat).finalContent();
  },
  async structured() {
    const response_format = { type: 'json_schema', json_schema: { name: 'answer', strict: true, schema } };
    const completion = await new OpenAI().chat.completions.parse({ ...chat, response_format });
    return JSON.parse(completion.choices[0].message.content).value;
  },
  async tools() {
    const multiply = { name: 'multiply', parameters, parse: JSON.parse, function: ({ left, right }) => left * right };
    const runner = new OpenAI().chat.completions.runTools({ ...chat, tools: [{ type: 'function', function: multiply }] });
    return runner.finalContent();
  },
  async response() {
    return (await new OpenAI().responses.create({ model: GPT, input: 'Hello', max_output_tokens: 50 })).output_text;
  },
  async responseStream() {
    const options = { model: GPT, input: 'Hello', max_output_tokens: 50, stream: true };
    return textOf(await new OpenAI().responses.create(options), event => event.delta);
  },
  async embeddings() {
    const found = await new OpenAI().embeddings.create({ model: 'text-embedding-3-small', input: 'one' });
    return found.data[0].embedding;
  },
  async models() {
    const found = [];
    for await (const model of new OpenAI().models.list()) {
      found.push(model.id);
    }
    return found.length > 0;
  },
  async message() {
    return (await new Anthropic().messages.create(message)).content[0].text;
  },
  async messageStream() {
    const stream = await new Anthropic().messages.create({ ...message, stream: true });
    return textOf(stream, event => event.delta?.text);
  },
  async messageEvents() {
    return new Anthropic().messages.stream(message).finalText();
  },
  async messageTools() {
    const tools = [{ name: 'multiply', input_schema: parameters }];
    const found = await new Anthropic().messages.create({ ...message, tools });
    return found.content.filter(block => block.type === 'tool_use').map(block => block.name);
  },
  async counted() {
    return (await new Anthropic().messages.countTokens({ model: CLAUDE, messages })).input_tokens;
  },
  async openaiError() {
    try {
      return await new OpenAI().chat.completions.create(chat);
    } catch (error) {
      return [error instanceof OpenAI.APIError, error.status, error.message];
    }
  },
  async anthropicError() {
    try {
      return await new Anthropic().messages.create(message);
    } catch (error) {
      return [error instanceof Anthropic.APIError, error.status, error.message];
    }
  }
};

console.log(JSON.stringify(await PROGRAMS[process.argv[2]]()));
