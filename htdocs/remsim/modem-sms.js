/** SMS: what has come in, by whom it was sent; a box to write; codes of the network (USSD). */

import { ActionPanel, ActionPanels } from './action-panel.js';
import { ask } from './ask.js';
import { el, fill, setText } from './dom.js';
import { epoch, moment } from './format.js';
import { isRunning } from './jobs.js';

const OWN = ['sms-send', 'sms-delete', 'sms-read'];
const FULL = 0.9;
const COUNT_MS = 250;

/** Messages by whom they are with, the newest conversation first, each with its newest message last. */
export function threadsOf(messages) {
	const threads = new Map();
	for (const message of messages) {
		const who = message.number || '';
		threads.set(who, [...threads.get(who) || [], message]);
	}
	const at = message => epoch(message.at) || 0;
	return [...threads].map(([number, list]) => ({ number, messages: list.sort((a, b) => at(a) - at(b)), unread: list.filter(one => one.is_unread).length }))
		.sort((a, b) => at(b.messages[b.messages.length - 1]) - at(a.messages[a.messages.length - 1]));
}

export class SmsTab {
	constructor(ctx) {
		const t = ctx.t;
		this._ctx = ctx;
		this.open = null;
		this.storage = el('p.remsim-help', { hidden: true });
		this.error = el('p.remsim-problem', { role: 'alert', hidden: true });
		this.none = el('p.remsim-absent', { role: 'status' }, t('Asking the modem …'));
		this.threads = el('ul.remsim-threads');
		this.again = el('button', { type: 'button', click: () => this.load() }, t('Look for new ones'));
		this.write = el('section.remsim-panel', { hidden: true }, el('h3', {}, t('Write')));
		this.count = el('p.remsim-help', { role: 'status' });
		this.others = new ActionPanels(ctx, action => action.group === 'sms' && !OWN.includes(action.name), action => action.name === 'ussd' ? { submitLabel: t('Send'), result: found => this._said(found), done: () => ctx.refresh() } : {});
		this.root = el('div.remsim-stack', {}, el('section.remsim-panel', {}, el('header', {}, el('h3', {}, t('Messages')), this.again), this.storage, this.error, this.none, this.threads), this.write, this.others.root, this.others.lacking);
	}

	/** The network's word, as it stands. */
	_said(found) {
		const t = this._ctx.t;
		return [el('p.remsim-message-text', {}, found.text || t('The network has taken the code.')), found.wants_answer ? el('p.remsim-help', {}, t('The network waits for your answer: type it above.')) : null];
	}

	shown() {
		this.load();
	}

	offered(actions) {
		const send = actions.find(action => action.name === 'sms-send');
		this._canDelete = !this._ctx.options.readonly && actions.some(action => action.name === 'sms-delete' && !action.missing);
		this.write.hidden = !send || !!this._ctx.options.readonly;
		if (send && this.panel)
			this.panel.update(send);
		else if (send && !this._ctx.options.readonly) {
			const t = this._ctx.t;
			this.panel = new ActionPanel(send, this._ctx, {
				isBare: true, submitLabel: t('Send'), changed: () => this._counted(), loaded: form => this._writing(form),
				done: () => this.load()
			});
			this.write.append(this.panel.root);
		}
		this.others.update(actions);
		this._draw();
	}

	/** The counter stands under the text. */
	_writing(form) {
		const field = form.fields.find(one => one.name === 'text' || one.kind === 'long');
		this._text = field ? field.inputs[0] : null;
		if (field)
			field.root.appendChild(this.count);
		this._counted();
	}

	/** How many messages the text takes: the service's own word, once the typing rests. */
	_counted() {
		const { t, request } = this._ctx, text = this._text?.value || '';
		clearTimeout(this._countTimer);
		if (!text) {
			setText(this.count, '');
			return;
		}
		this._countTimer = setTimeout(async () => {
			let told = '';
			try {
				const { parts, letters_left: left, alphabet } = await request('sms/preview', { method: 'POST', body: { text } });
				told = [parts === 1 ? t('1 message') : t('%s messages', parts), t('%s characters left', left), alphabet.toUpperCase()].join(' · ');
			} catch (error) {
				told = error.status === 422 ? error.message.replace(/^text: /, '') : '';
			}
			if (this._text?.value === text)
				setText(this.count, told);
		}, COUNT_MS);
	}

	async load() {
		const { t, request, id } = this._ctx;
		this.again.disabled = true;
		try {
			this.box = await request(`modems/${encodeURIComponent(id)}/sms`);
			this.error.hidden = true;
		} catch (error) {
			this.error.hidden = false;
			setText(this.error, error.hint ? `${error.message} – ${error.hint}` : error.message);
			setText(this.none, this.box ? '' : t('The messages could not be read.'));
		}
		this.again.disabled = false;
		this._draw();
	}

	_draw() {
		const t = this._ctx.t;
		if (!this.box)
			return;
		const messages = this.box.messages || [], threads = threadsOf(messages), { used, total } = this.box.storage || {};
		this.none.hidden = threads.length > 0;
		setText(this.none, t('No message is stored.'));
		const isFull = total > 0 && used >= total;
		this.storage.hidden = !total;
		this.storage.className = this.box.problem || isFull || (total && used / total >= FULL) ? 'remsim-problem' : 'remsim-help';
		setText(this.storage, this.box.problem || (total ? t('%s of %s places used', used, total) : ''));
		const focus = this.threads.contains(document.activeElement) ? document.activeElement.dataset.key : null;
		fill(this.threads, threads.map(thread => this._thread(thread)));
		if (focus)
			[...this.threads.querySelectorAll('[data-key]')].find(node => node.dataset.key === focus)?.focus({ preventScroll: true });
	}

	_thread(thread) {
		const t = this._ctx.t, now = this._ctx.store.now(), last = thread.messages[thread.messages.length - 1], isOpen = this.open === thread.number;
		const who = thread.number || t('no number');
		return el(`li.remsim-thread${thread.unread ? '.remsim-unread' : ''}`, {},
			el('button.remsim-thread-head', { type: 'button', 'aria-expanded': String(isOpen), 'data-key': thread.number, click: () => this._toggle(thread, isOpen) },
				el('b', {}, who), thread.unread ? el('span.remsim-badge', {}, t('%s new', thread.unread)) : null, el('span.remsim-muted', {}, last.at ? moment(epoch(last.at), now, false) : ''),
				isOpen ? null : el('span.remsim-thread-last', {}, last.text || '')),
			isOpen ? el('ol.remsim-messages', {}, thread.messages.map(message => this._message(message, now))) : null,
			isOpen && thread.number && this.panel ? el('div.remsim-submit', {}, el('button', { type: 'button', 'data-key': `answer ${thread.number}`, click: () => this._answer(thread.number) }, t('Answer'))) : null);
	}

	/** What is opened has been read; the modem itself calls read what was only listed. */
	async _toggle(thread, isOpen) {
		this.open = isOpen ? null : thread.number;
		this._draw();
		const unread = thread.messages.filter(message => message.is_unread);
		if (isOpen || !unread.length || this._ctx.options.readonly)
			return;
		const { request, id } = this._ctx;
		try {
			await request(`modems/${encodeURIComponent(id)}/sms-read`, { method: 'POST', body: { ids: unread.map(message => message.id).join() } });
			unread.forEach(message => { message.is_unread = false; });
			this._draw();
		} catch { /* they stay marked as new */ }
	}

	_message(message, now) {
		const t = this._ctx.t, ours = message.is_sent;
		return el(`li.remsim-message${ours ? '.remsim-message-ours' : ''}`, {},
			el('p.remsim-message-text', {}, message.text ?? (message.kind === 'report' ? t('Delivery report') : null) ?? (message.data_bytes ? t('%s bytes of data', message.data_bytes) : t('no text'))),
			el('p.remsim-help', {}, [message.at ? moment(epoch(message.at), now) : '', ours ? t('sent') : message.kind === 'draft' ? t('not sent') : '', message.outcome ? t(message.outcome.replaceAll('_', ' ')) : '', message.note ? t(message.note) : ''].filter(Boolean).join(' · '),
				this._canDelete ? el('button.remsim-small', { type: 'button', 'data-key': `delete ${message.id}`, 'aria-label': t('Delete the message of %s', message.number || t('no number')), click: () => this._delete(message) }, t('Delete')) : null));
	}

	_answer(number) {
		this.panel.form?.put({ number, to: number, recipient: number });
		this._text?.focus();
		this.write.scrollIntoView({ block: 'nearest' });
	}

	async _delete(message) {
		const { t, root, request, id, keeper, store } = this._ctx;
		if (!await ask(root, { title: t('Delete this message?'), texts: [(message.text || '').slice(0, 160)], yes: t('Delete'), t }))
			return;
		try {
			const job = await request(`modems/${encodeURIComponent(id)}/sms-delete`, { method: 'POST', body: { ids: message.id } });
			this._deleting = job.id;
			keeper.own(job);
			store.takeJob(job);
		} catch (error) {
			this.error.hidden = false;
			setText(this.error, error.hint ? `${error.message} – ${error.hint}` : error.message);
		}
	}

	/** The network told of a new message. */
	happened(event) {
		if (/^sms/.test(event.kind))
			this.load();
	}

	follow() {
		const job = this._deleting && this._ctx.store.jobs.get(this._deleting);
		if (job && !isRunning(job)) {
			this._deleting = null;
			this.load();
		}
		this.panel?.follow();
		this.others.follow();
	}
}
