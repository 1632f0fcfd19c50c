/** Adding a profile: scan, photo, paste or a kept code; what the code says; then the operator is asked. */

import { select } from './dialog.js';
import { el, fill, setText } from './dom.js';
import { PARTS, endOf, partsOf, sentence } from './esim-words.js';
import { Scanner } from './esim-scan.js';
import { bareMessage } from './form-rules.js';

const TYPED_MS = 350;
const SHORT = 300;

export class AddTab {
	/** `ctx` of esim.js. */
	constructor(ctx) {
		const { t, options } = ctx;
		this._ctx = ctx;
		this.target = el('div.remsim-field');
		this.scanner = new Scanner(ctx, text => this._offered(text));
		this.input = el('textarea.remsim-mono', { rows: 2, id: 'remsim-esim-code', spellcheck: 'false', autocapitalize: 'off', autocomplete: 'off', maxlength: 10000, 'aria-describedby': 'remsim-esim-code-told', placeholder: 'LPA:1$…', input: () => this._typed(), keydown: event => { if (event.key === 'Enter' && !event.isComposing) { event.preventDefault(); this._go(); } } });
		this.wrong = el('p.remsim-problem', { id: 'remsim-esim-code-told', role: 'alert', hidden: true });
		this.valid = el('div.remsim-esim-valid', { hidden: true }, el('span.remsim-good', { role: 'status' }, `✓ ${t('This is an activation code.')}`), el('button.remsim-primary', { type: 'button', click: () => this._go() }, t('Go on')));
		this.parts = el('dl.remsim-facts.remsim-esim-parts', { hidden: true });
		this.found = el('form.remsim-panel.remsim-esim-wish', { hidden: true, novalidate: true, 'aria-label': t('What the code says'), submit: event => { event.preventDefault(); this._begin(); } });
		this.others = el('section.remsim-panel', { 'aria-label': t('Without scanning') });
		this.error = el('p.remsim-problem', { role: 'alert', hidden: true });
		this.ways = el('div.remsim-stack', {},
			el('section.remsim-panel', { 'aria-label': t('Scan the QR code') }, el('header', {}, el('h2', {}, t('Scan the QR code of your operator'))), this.scanner.root),
			el('section.remsim-panel', { 'aria-label': t('Type or paste the code') }, el('header', {}, el('h2', {}, t('Or type or paste the code'))), el('div.remsim-field', {}, el('label', { for: 'remsim-esim-code' }, t('Activation code, or a link from the operator’s mail')), this.input, this.wrong, this.parts, this.valid)),
			this.others);
		this.scanner.takeDrops(this.ways);
		this.head = el('header.remsim-tools', {}, el('a', { href: ctx.address('cards') }, t('‹ All cards')), el('h2', { tabindex: '-1' }, t('Add a profile')));
		this.root = el('div.remsim-stack', {}, this.head, this.target, this.found, options.readonly ? el('p.remsim-note', {}, t('This login may not download profiles.')) : this.ways);
	}

	destroy() {
		this.scanner.destroy();
	}

	hidden() {
		this.scanner.close();
	}

	/** Called when the tab is shown: `asked` has `holder`, `code` (of a kept one), `again` (a job) and `lab`. */
	show(asked) {
		this.holderId = asked.get('holder') || this.holderId;
		this.head.querySelector('h2').focus({ preventScroll: true });
		this._wish = null;
		this.found.hidden = true;
		this.ways.hidden = false;
		this._asked = asked;
		this.update();
	}

	update() {
		const { t, data } = this._ctx, targets = data.targets;
		if (!data.view)
			return;
		if (!targets.some(one => one.id === this.holderId))
			this.holderId = (targets.find(one => one.state === 'ready') || targets[0])?.id;
		const told = JSON.stringify([targets.map(one => [one.id, one.name]), this.holderId]);
		if (told !== this._targetTold) {
			const choice = targets.length > 1 ? select(targets.map(one => [one.id, one.name]), this.holderId, { id: 'remsim-esim-target', change: () => { this.holderId = choice.value; this.update(); } }) : null;
			fill(this.target, targets.length ? [el('label', choice ? { for: 'remsim-esim-target' } : {}, choice ? t('Onto the card of') : t('Onto the card of %s', targets[0].name)), choice] : el('p.remsim-problem', {}, t('No modem here has an eSIM: there is no card to put a profile on.')));
			this._targetTold = told;
		}
		this._others();
		if (this._asked)
			this._preset();
	}

	/** What the address asks for: a kept code, or what was tried before. */
	_preset() {
		const { data, store } = this._ctx, asked = this._asked, code = data.code(asked.get('code')), job = store.jobs.get(asked.get('again')), sent = job && data.sentFor(job);
		this._asked = null;
		if (code)
			this._takeKept(code);
		else if (sent?.code_id && data.code(sent.code_id))
			this._takeKept(data.code(sent.code_id), asked.has('lab'));
		else if (sent?.code) {
			this.input.value = sent.code;
			this._check(sent.code, { isLab: asked.has('lab') });
		}
	}

	_others() {
		const { t, data } = this._ctx, codes = data.codes.filter(code => code.state !== 'used'), holder = data.holder(this.holderId), server = holder?.euicc?.default_smdp, told = JSON.stringify([codes, this.holderId, server]);
		if (told === this._othersTold)
			return;
		this._othersTold = told;
		this.others.hidden = !holder;
		const kept = codes.length ? select(codes.map(code => [code.id, code.label || `${code.smdp_address} ${endOf(code.matching_id)}`]), codes[0].id, { id: 'remsim-esim-kept' }) : null;
		fill(this.others, el('header', {}, el('h2', {}, t('Or without scanning'))), el('div.remsim-stack', {},
			kept ? el('div.remsim-field', {}, el('label', { for: kept.id }, t('Kept codes')), el('div.remsim-esim-line', {}, kept, el('button', { type: 'button', click: () => this._takeKept(data.code(kept.value)) }, t('Use')))) : null,
			el('div', {}, el('div.remsim-tools', {}, el('button', { type: 'button', click: () => this._discover() }, t('Look for waiting profiles')),
				server ? el('button', { type: 'button', click: () => { this.input.value = `LPA:1$${server}$`; this._check(this.input.value); } }, t('Ask the card’s default server')) : null),
			el('p.remsim-help', {}, t('Some operators leave the profile at a discovery server; then no code is needed.'))), this.error));
	}

	/** What a picture holds: true when it is taken, else why it is not. */
	async _offered(text) {
		this.input.value = text.length > SHORT ? '' : text;
		const taken = await this._check(text);
		if (taken !== true)
			this._mark(null);
		return taken;
	}

	_typed() {
		clearTimeout(this._timer);
		const text = this.input.value.trim();
		this._asking = null;
		this._mark(null);
		if (text)
			this._timer = setTimeout(() => this._check(text, { isTyped: true }), TYPED_MS);
	}

	/** On with what was typed. */
	_go() {
		clearTimeout(this._timer);
		const text = this.input.value.trim();
		if (text)
			this._check(text);
	}

	/** Have the service look at a code; true when it is one. */
	async _check(text, { isLab = false, isTyped = false } = {}) {
		const { request } = this._ctx, asking = this._asking = {};
		try {
			const says = await request('esim/parse', { method: 'POST', body: { code: text } });
			if (asking !== this._asking)
				return true;
			this._mark(null);
			if (isTyped)
				this.valid.hidden = false;
			else
				this._show({ code: text.trim(), ...says }, isLab);
			return true;
		} catch (error) {
			if (asking === this._asking)
				this._mark(text, error);
			return sentence(bareMessage(error.message, error.field));
		}
	}

	/** Show which part of what was typed is wrong. */
	_mark(text, error = null) {
		const { t } = this._ctx;
		this.wrong.hidden = this.parts.hidden = !error;
		this.valid.hidden = true;
		this.input.toggleAttribute('aria-invalid', false);
		if (!error) {
			setText(this.wrong, '');
			return;
		}
		this.input.setAttribute('aria-invalid', 'true');
		setText(this.wrong, [bareMessage(error.message, error.field), error.hint].filter(Boolean).map(sentence).join(' '));
		const parts = partsOf(text);
		this.parts.hidden = !text.includes('$') || !PARTS[error.field];
		fill(this.parts, parts.map(({ name, text: part }) => el(`div${name === error.field ? '.remsim-esim-wrong' : ''}`, {}, el('dt', {}, name === error.field ? `✖ ${t(PARTS[name])}` : t(PARTS[name])), el('dd.remsim-mono', {}, part || t('empty')))));
	}

	async _takeKept(code, isLab = false) {
		this._show({ code_id: code.id, label: code.label, smdp_address: code.smdp_address, matching_id: code.matching_id, confirmation_code_required: code.confirmation_code_required, warnings: [] }, isLab);
	}

	/** What the code says, and what else can be said before the operator is asked. */
	_show(wish, isLab) {
		const { t, options } = this._ctx;
		this.scanner.close();
		this._wish = wish;
		const token = wish.matching_id || '', masked = wish.code && token.length > 8 ? `…${token.slice(-4)}` : endOf(token);
		const line = (name, label, help, more = {}) => {
			const input = this[name] = el('input', { type: 'text', id: `remsim-esim-${name}`, autocomplete: 'off', autocapitalize: 'off', spellcheck: 'false', 'aria-describedby': help ? `remsim-esim-${name}-help` : null, ...more });
			return el('div.remsim-field', {}, el('label', { for: input.id }, label), input, help ? el('p.remsim-help', { id: `remsim-esim-${name}-help` }, help) : null);
		};
		this.lab = el('textarea.remsim-mono', { rows: 3, id: 'remsim-esim-lab', spellcheck: 'false', 'aria-describedby': 'remsim-esim-lab-help' });
		this.refused = el('p.remsim-problem', { role: 'alert', hidden: true });
		this.go = el('button.remsim-primary', { type: 'submit' }, t('Ask the operator for the profile'));
		const keep = wish.code_id ? null : el('button', { type: 'button', click: () => this._keep() }, t('Keep it for later'));
		fill(this.found, el('header', {}, el('h2', { tabindex: '-1' }, wish.label || t('This is an activation code'))),
			el('dl.remsim-facts', {}, [[t(PARTS.smdp_address), wish.smdp_address], [t(PARTS.matching_id), masked || t('none: the operator finds the order by the card')], [t(PARTS.oid), wish.oid]].filter(([, value]) => value).map(([name, value]) => el('div', {}, el('dt', {}, name), el('dd', {}, value)))),
			(wish.warnings || []).map(text => el('p.remsim-note', {}, sentence(text))),
			el('p', {}, t('Next the operator’s server is asked. You see the profile’s name before anything is downloaded.')),
			wish.confirmation_code_required ? line('confirmation', t('Confirmation code'), t('From the operator, beside the activation code. Left empty, you are asked for it later.'), { maxlength: 64, autocomplete: 'one-time-code' }) : null,
			el('details', { open: isLab }, el('summary', {}, t('More')), el('div.remsim-stack', {},
				line('nickname', t('Name on the card'), t('Empty: as the operator calls it.'), { maxlength: 64 }), line('apn', t('APN'), t('The operator’s access point, set when you switch. Empty: as it is now.'), { maxlength: 100 }),
				el('div.remsim-field', {}, el('label', { for: 'remsim-esim-lab' }, t('Certificate authority of a laboratory (PEM)')), this.lab, el('p.remsim-help', { id: 'remsim-esim-lab-help' }, t('Only for tests with a server of your own; trusted for this download alone.'))))),
			this.refused, options.readonly ? null : el('div.remsim-submit', {}, this.go, keep, el('button', { type: 'button', click: () => this._another() }, t('Another code'))));
		this.found.hidden = false;
		this.ways.hidden = true;
		(isLab ? this.lab : this.found.querySelector('h2')).focus({ preventScroll: true });
		this.found.scrollIntoView({ block: 'nearest' });
	}

	_another() {
		this.found.hidden = true;
		this.ways.hidden = false;
		this.input.value = '';
		this._mark(null);
		this.scanner.start.hidden ? this.input.focus() : this.scanner.start.focus();
	}

	async _begin() {
		const { data, toJob } = this._ctx, wish = this._wish, values = { confirmation_code: this._wish.confirmation_code_required ? this.confirmation.value.trim() : '', nickname: this.nickname.value.trim(), apn: this.apn.value.trim(), lab_ca: this.lab.value.trim() };
		const body = { ...(wish.code_id ? { code_id: wish.code_id } : { code: wish.code }), ...Object.fromEntries(Object.entries(values).filter(([, value]) => value)) };
		this.refused.hidden = true;
		this.go.disabled = true;
		try {
			if (!this.holderId)
				throw new Error(this._ctx.t('No modem here has an eSIM: there is no card to put a profile on.'));
			await data.download(this.holderId, body);
			this.input.value = '';
			toJob(this.holderId);
		} catch (error) {
			this._refuse(error);
		}
		this.go.disabled = false;
	}

	async _keep() {
		const { t, request, data, said, address } = this._ctx;
		try {
			await request('esim/codes', { method: 'POST', body: { code: this._wish.code, label: this.nickname.value.trim(), holder: null } });
			await data.load();
			this.input.value = '';
			location.hash = address('codes');
			said(t('The code is kept.'));
		} catch (error) {
			this._refuse(error);
		}
	}

	async _discover() {
		const { data, toJob } = this._ctx;
		this.error.hidden = true;
		try {
			await data.begin(`esim/${encodeURIComponent(this.holderId)}/discover`);
			toJob(this.holderId);
		} catch (error) {
			this.error.hidden = false;
			setText(this.error, error.hint ? `${sentence(error.message)} ${sentence(error.hint)}` : sentence(error.message));
		}
	}

	_refuse(error) {
		const input = { confirmation_code: this.confirmation, nickname: this.nickname, apn: this.apn, lab_ca: this.lab }[error.field];
		this.refused.hidden = false;
		setText(this.refused, [bareMessage(error.message, error.field), error.hint].filter(Boolean).map(sentence).join(' '));
		if (input) {
			input.closest('details')?.toggleAttribute('open', true);
			input.setAttribute('aria-invalid', 'true');
			input.focus();
		}
	}
}
