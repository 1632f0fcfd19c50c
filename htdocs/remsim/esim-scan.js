/** Ways to a code without typing: the camera, a photo, a picture file, one that is dropped or pasted. */

import { select } from './dialog.js';
import { el, fill, setText } from './dom.js';
import { msg } from './words.js';

const LOOK_MS = 120;
const FRAME = 800;
const REFUSED = {
	NotAllowedError: msg('The browser may not use the camera. Allow it beside the address of this page and press “Scan with the camera” again; or take a photo instead.'),
	NotFoundError: msg('No camera is found on this device. Take a photo with another one and choose the picture here.'),
	OverconstrainedError: msg('No camera is found on this device. Take a photo with another one and choose the picture here.'),
	NotReadableError: msg('Another program uses the camera. Close it and try again; or take a photo instead.'),
	AbortError: msg('The camera stopped. Try again; or take a photo instead.')
};
const NO_CODE = msg('No QR code is in this picture. Take it straight, close and in good light, so that the code fills most of it; or type the code that stands beside it.');
const NO_PICTURE = msg('This file is no picture that the browser can read. Use a JPEG or PNG; of a PDF, take a screenshot.');

/** Whether this page may ask for the camera: browsers give it over TLS and on the machine itself only. */
export function hasCamera() {
	return window.isSecureContext && !!navigator.mediaDevices?.getUserMedia;
}

export class Scanner {
	/** `found(text)` says whether the text is taken: a promise of true, else of a sentence why not. */
	constructor(ctx, found) {
		const { t } = ctx;
		Object.assign(this, { _ctx: ctx, _found: found });
		this.video = el('video.remsim-esim-video', { playsinline: true, muted: true, 'aria-label': t('The camera’s picture') });
		this.video.muted = true;
		this.cameras = el('span');
		this.told = el('p', { role: 'status' });
		this.error = el('p.remsim-problem', { role: 'alert', hidden: true });
		this.start = el('button.remsim-primary', { type: 'button', hidden: !hasCamera(), click: () => this.open() }, t('Scan with the camera'));
		this.stop = el('button', { type: 'button', click: () => this.close() }, t('Stop the camera'));
		this.view = el('div.remsim-esim-camera', { hidden: true }, this.video, el('div.remsim-tools', {}, this.stop, this.cameras));
		const file = (label, more) => {
			const input = el('input', { type: 'file', accept: 'image/*', hidden: true, 'aria-label': label, ...more, change: () => this._take(input) });
			return el('span', {}, el('button', { type: 'button', click: () => input.click() }, label), input);
		};
		this.photo = file(t('Take a photo'), { capture: 'environment' });
		this.picture = file(t('Choose a picture'), {});
		const insecure = hasCamera() ? null : el('p.remsim-note', {}, window.isSecureContext ? t('This browser gives pages no camera: take a photo of the code, or choose a picture of it.')
			: t('This page came over plain HTTP, where browsers give no camera: take a photo of the code, or choose a picture of it. Over HTTPS the camera works here.'));
		this.root = el('div.remsim-esim-scan', {}, insecure, el('div.remsim-tools', {}, this.start, this.photo, this.picture), el('p.remsim-help', {}, t('A picture can also be dropped or pasted here; it is read in this browser and sent nowhere.')), this.view, this.told, this.error);
		this._paste = event => { const item = [...event.clipboardData?.files || []].find(one => one.type.startsWith('image/')); if (item && this.root.isConnected) this.read(item); };
		document.addEventListener('paste', this._paste);
	}

	destroy() {
		this.close();
		document.removeEventListener('paste', this._paste);
	}

	/** Take what is dropped on an element. */
	takeDrops(node) {
		node.addEventListener('dragover', event => {
			if (![...event.dataTransfer.types].includes('Files'))
				return;
			event.preventDefault();
			node.classList.add('remsim-drop-here');
		});
		node.addEventListener('dragleave', event => { if (!node.contains(event.relatedTarget)) node.classList.remove('remsim-drop-here'); });
		node.addEventListener('drop', event => {
			node.classList.remove('remsim-drop-here');
			if (!event.dataTransfer.files.length)
				return;
			event.preventDefault();
			this.read(event.dataTransfer.files[0]);
		});
	}

	/** Begin with the camera that looks away from the user, else the one that is wanted. */
	async open(deviceId = null) {
		const { t } = this._ctx, opening = this._opening = {};
		this._end();
		this._opening = opening;
		this._refuse('');
		setText(this.told, t('Asking for the camera …'));
		try {
			const size = { width: { ideal: 1280 }, height: { ideal: 720 } };
			const stream = await navigator.mediaDevices.getUserMedia({ audio: false, video: deviceId ? { deviceId: { exact: deviceId }, ...size } : { facingMode: { ideal: 'environment' }, ...size } });
			if (this._opening !== opening || !this.root.isConnected) {
				stream.getTracks().forEach(track => track.stop());
				return;
			}
			this.stream = stream;
			stream.getVideoTracks()[0].addEventListener('ended', () => { if (this.stream === stream) { this.close(); this._refuse(t(REFUSED.AbortError)); } });
			this.view.hidden = false;
			this.start.hidden = true;
			this.video.srcObject = stream;
			await this.video.play();
			setText(this.told, t('Hold the QR code into the picture.'));
			this._listCameras(stream);
			this._look(stream);
		} catch (error) {
			if (this._opening !== opening)
				return;
			this.close();
			this._refuse(t(REFUSED[error.name] || REFUSED.AbortError));
		}
	}

	close() {
		this._opening = null;
		this._end();
		this.view.hidden = true;
		this.start.hidden = !hasCamera();
		setText(this.told, '');
	}

	_end() {
		clearTimeout(this._timer);
		this.stream?.getTracks().forEach(track => track.stop());
		this.stream = null;
		this.video.srcObject = null;
	}

	/** Names of cameras are known once one may be used. */
	async _listCameras(stream) {
		const { t } = this._ctx, all = (await navigator.mediaDevices.enumerateDevices().catch(() => [])).filter(one => one.kind === 'videoinput' && one.deviceId), now = stream.getVideoTracks()[0]?.getSettings().deviceId;
		if (this.stream !== stream)
			return;
		fill(this.cameras, all.length > 1 ? select(all.map((one, at) => [one.deviceId, one.label || t('Camera %s', at + 1)]), now, { 'aria-label': t('Camera'), change: event => this.open(event.target.value) }) : null);
	}

	/** Look at the picture now and again. */
	async _look(stream) {
		const { readPixels, pixelsOf } = await import('./esim-read-qr.js'), canvas = document.createElement('canvas'), { video } = this;
		const look = async () => {
			if (this.stream !== stream)
				return;
			if (!this.root.isConnected) {
				this.close();
				return;
			}
			const pixels = !document.hidden && video.readyState >= 2 ? pixelsOf(video, video.videoWidth, video.videoHeight, FRAME, canvas) : null;
			const text = pixels ? await readPixels(pixels).catch(() => null) : null;
			if (this.stream !== stream)
				return;
			if (text && text !== this._lastText) {
				this._lastText = text;
				if (await this._offer(text))
					return;
			}
			this._timer = setTimeout(look, LOOK_MS);
		};
		this._lastText = null;
		look();
	}

	_take(input) {
		const [file] = input.files;
		input.value = '';
		if (file)
			this.read(file);
	}

	/** Read a picture. */
	async read(file) {
		const { t } = this._ctx;
		this.close();
		this._refuse('');
		setText(this.told, t('Looking for a QR code in the picture …'));
		let text = null;
		try {
			const { readPicture } = await import('./esim-read-qr.js');
			text = await readPicture(file);
		} catch {
			setText(this.told, '');
			this._refuse(t(NO_PICTURE));
			return;
		}
		setText(this.told, '');
		if (text === null)
			this._refuse(t(NO_CODE));
		else
			await this._offer(text);
	}

	/** Whether the text is an activation code; what it is else is told. */
	async _offer(text) {
		const taken = await this._found(text);
		if (taken === true) {
			this.close();
			this._refuse('');
			return true;
		}
		this._refuse(this._ctx.t('The QR code holds no activation code: %s', taken));
		return false;
	}

	_refuse(text) {
		setText(this.error, text);
		this.error.hidden = !text;
	}
}
