"""Which embedding model is in use: loading it in the background at the start, and changing it later.

Owns the loading thread (one at a time), its progress and what went wrong. What a new model means for the indexes is
the engine's business: it is handed in as ``adopt`` and runs in the loading thread, while the model in use goes on
serving. Nothing is written here.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

from matcher.config import NO_ENCODER, EncoderSettings, Settings
from matcher.encoding.protocol import Encoder
from matcher.errors import ConflictError, EncoderError, MatcherError
from matcher.retrieval.reuse import Progress
from matcher.services.encoder import build_encoder

_LOG = logging.getLogger(__name__)
_MEGABYTE = 10**6
_FROM_MEGABYTES = 10 * _MEGABYTE
Step = tuple[str, int, int]
"""What is being done, how much is done, how much there is."""
Adopt = Callable[[Encoder | None, Progress, Callable[[], None]], None]
"""(encoder, progress, to be called at the moment of the exchange)."""


@dataclass(frozen=True, slots=True)
class Switch:
    """A change of model: ``running``, ``done`` or ``failed``; ``note`` says what else is to be known when done."""

    wanted: EncoderSettings
    state: str
    error: MatcherError | None = None
    note: str = ""


class Stopped(MatcherError):
    """Somebody asked for the loading to stop."""


class ModelSlot:
    """The place of the one embedding model of a process; thread-safe.

    Args:
        settings: where models are kept, and the model to begin with.
        adopt: makes the indexes for a model and puts them into service.
    """

    def __init__(self, settings: Settings, adopt: Adopt) -> None:
        self._settings = settings
        self._adopt = adopt
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()
        self._again = False
        self.current = settings.encoder
        self.failure: MatcherError | None = None
        self.progress: Step | None = None
        self.switch: Switch | None = None

    @property
    def wants_encoder(self) -> bool:
        return self.current.name != NO_ENCODER

    @property
    def running(self) -> bool:
        """Whether a model is being loaded or the indexes are being made for it."""
        thread = self._thread
        return thread is not None and thread.is_alive()

    def start(self) -> None:
        """Load the first model in the background; does nothing once that was begun, unless ``retry`` was called."""
        if not self.wants_encoder or (self._thread is not None and not self._again):
            return
        with self._lock:
            if self._thread is None or (self._again and not self.running):
                self._again, self.failure = False, None
                self._run(self._load_first)

    def retry(self) -> None:
        """Let the next ``start`` begin again after a failure that may be mended by now."""
        if self.failure is not None and not isinstance(self.failure, EncoderError | Stopped):
            self._again = True

    def change(self, wanted: EncoderSettings, after: Callable[[], str] | None = None) -> None:
        """Load another model in the background and exchange it for the present one.

        Args:
            wanted: the model.
            after: called once the exchange is made; gives the note of the ``Switch``.

        Raises:
            ConflictError: a model is being loaded already.
        """
        with self._lock:
            if self.running:
                name = self.switch.wanted.name if self.switch else self.current.name
                doing = "换用" if self.switch else "加载"
                raise ConflictError(
                    f"正在{doing}语义模型“{name}”，还没有完成。", "请等它完成，或先点“停止”，再换另一个。"
                )
            self.switch = Switch(wanted, "running")
            self._run(lambda: self._load_other(wanted, after))

    def stop(self) -> None:
        """Ask the loading to stop at its next step; what was downloaded stays."""
        self._stop.set()

    def join(self, timeout: float | None = None) -> None:
        """Wait until nothing is being loaded."""
        thread = self._thread
        if thread is not None:
            thread.join(timeout)

    def _run(self, work: Callable[[], None]) -> None:
        self._stop.clear()
        self.progress = ("检查语义模型", 0, 1)
        self._thread = threading.Thread(target=work, name="encoder", daemon=True)
        self._thread.start()

    def _load_first(self) -> None:
        self.failure = self._guarded(self.current, lambda: self._load(self.current, lambda: None))

    def _load_other(self, wanted: EncoderSettings, after: Callable[[], str] | None) -> None:
        def exchanged() -> None:
            self.current, self.failure = wanted, None

        error = self._guarded(wanted, lambda: self._load(wanted, exchanged))
        if error is not None:
            self.switch = Switch(wanted, "failed", error)
            return
        notes: list[str] = []
        error = self._guarded(wanted, lambda: notes.append(after() if after else ""))
        note = f"但换好之后的一步没有完成，下次启动可能仍用原来的：{error}" if error else notes[0]
        self.switch = Switch(wanted, "done", note=note)

    def _load(self, wanted: EncoderSettings, exchanged: Callable[[], None]) -> None:
        made = build_encoder(replace(self._settings, encoder=wanted), self._tell_bytes)
        self._tell("准备索引", 0, 1)
        self._adopt(made, self._tell, exchanged)

    def _guarded(self, wanted: EncoderSettings, work: Callable[[], None]) -> MatcherError | None:
        """Do the work of the thread and give what went wrong.

        Everything is caught: past the thread's end nobody would hear of it, and the state would stay at “loading”.
        """
        try:
            work()
        except MatcherError as error:
            _LOG.info("encoder %s: %s", wanted.name, error)  # shown to whoever asked
            return error
        except Exception as error:
            _LOG.exception("encoder %s failed", wanted.name)
            message = f"语义模型加载时出错（{type(error).__name__}）。"
            return EncoderError(message, "请运行 python -m matcher doctor 检查，或改用 builtin。")
        finally:
            self.progress = None
        return None

    def _tell_bytes(self, done: int, total: int) -> None:
        unit, size = ("MB", _MEGABYTE) if total >= _FROM_MEGABYTES else ("KB", 1000)
        self._tell(f"下载模型（{unit}）", done // size, -(-total // size))

    def _tell(self, what: str, done: int, total: int) -> None:
        """Raises Stopped when that was asked for."""
        if self._stop.is_set():
            raise Stopped("已按要求停止加载语义模型。", "需要时可以再换一次，已下载的部分会接着用。")
        self.progress = (what, done, total)
