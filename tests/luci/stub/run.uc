// Runs a controller's action as LuCI's dispatcher does: `http` and `ctx` are globals of the call, what is printed becomes
// the body after the headers, http.write() sends at once.
'use strict';

import { readfile, stdin, stdout } from 'fs';

const given = json(readfile(ARGV[0]));
const state = { status: '200 OK', headers: {}, sent: false };

function begin() {
	if (state.sent)
		return;

	state.sent = true;
	stdout.write(`Status: ${state.status}\r\n`);

	for (let name, value in state.headers)
		stdout.write(`${name}: ${value}\r\n`);

	stdout.write('\r\n');
}

function write(text) {
	begin();
	stdout.write(text);
}

const http = {
	getenv: name => given.env[name],
	status: (code, text) => { state.status = `${code} ${text}`; },
	header: (name, value) => { state.headers[lc(name)] = value; },
	content: () => stdin.read(+given.env.CONTENT_LENGTH),
	close: begin,
	write,
	write_json: value => write(sprintf('%.J', value))
};

const controller = loadfile(ARGV[1], { raw_mode: true })();

write(render(() => call(controller.action_relay, controller, proto({ http, ctx: given.ctx }, global), ...given.segments)));
