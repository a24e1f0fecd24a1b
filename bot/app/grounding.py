"""Answers that lean on documents, put together from the configuration."""

from collections.abc import Callable

from bot.app.clocks import SystemClock
from bot.backends.embeddings import MINILM
from bot.backends.sqlite.store import SqliteStore
from bot.config import Config
from bot.core.chains import Chains
from bot.core.grounding import Grounding
from bot.core.knowledge.embedding import Embedding
from bot.core.knowledge.readers import Readers
from bot.core.knowledge.reranking import Reranker
from bot.core.knowledge.retrieving import Retriever
from bot.core.knowledge.wording import ByWords
from bot.core.outgoing import Outgoing
from bot.core.permissions import Permissions
from bot.domain.policy import Policy
from bot.ops.knowledge import KnowledgeVerbs
from bot.ports.embedder import Embedder


def grounding_of(
    config: Config,
    store: SqliteStore,
    permissions: Permissions,
    chains: Chains,
    outgoing: Callable[[Policy], Outgoing],
) -> Grounding:
    """Search the library in the store."""
    retriever = retriever_of(store, chains.embedder)
    if config.library.rerank:
        retriever.reranker = Reranker(chains.models[config.library.rerank])
    return Grounding(
        readers=Readers(
            library=store.library,
            permissions=permissions,
            policies=permissions.policies,
            settings=config.collections,
            outgoing=outgoing,
        ),
        retriever=retriever,
        library=store.library,
        memory=store.records,
    )


def embedding_of(store: SqliteStore, embedder: Embedder | None) -> Embedding | None:
    """Give passages vectors, where there is an embedder and the library is the store's own."""
    if embedder is None or store.borrows:
        return None
    return Embedding(library=store.library, embedder=embedder, clock=SystemClock())


def verbs_of(
    store: SqliteStore, grounding: Grounding, embedding: Embedding | None
) -> KnowledgeVerbs:
    """Let an operator add documents to a running bot, and search them as it does."""
    return KnowledgeVerbs(
        library=store.library,
        ranked=grounding.retriever.ranked,
        embedder=embedding.embedder.name if embedding else "",
        changed=embedding.changed if embedding else lambda: None,
    )


def retriever_of(store: SqliteStore, embedder: Embedder | None) -> Retriever:
    """Search by meaning where there is an embedder, and by words."""
    return Retriever(
        library=store.library,
        by_words=ByWords(library=store.library, wording=store.wording),
        embedder=embedder,
        english=embedder is not None and embedder.name == MINILM,
    )
