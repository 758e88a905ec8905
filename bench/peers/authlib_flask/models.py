"""Client, code and token of Authlib's SQLAlchemy mixins, as "Flask OAuth 2.0 Server" declares them."""

import os

from authlib.integrations.sqla_oauth2 import (
    OAuth2AuthorizationCodeMixin,
    OAuth2ClientMixin,
    OAuth2TokenMixin,
)
from sqlalchemy import ForeignKey, create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, scoped_session, sessionmaker

_CONNECTIONS = 16  # of a process: more than it has threads

engine = create_engine(
    os.environ["DATABASE_URL"].replace("postgresql:", "postgresql+psycopg:", 1),
    pool_size=_CONNECTIONS,
    max_overflow=0,
)
session = scoped_session(sessionmaker(engine))


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "user"

    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(unique=True)

    def get_user_id(self) -> int:
        return self.id


class OAuth2Client(Base, OAuth2ClientMixin):
    __tablename__ = "oauth2_client"

    id: Mapped[int] = mapped_column(primary_key=True)


class OAuth2AuthorizationCode(Base, OAuth2AuthorizationCodeMixin):
    __tablename__ = "oauth2_code"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))


class OAuth2Token(Base, OAuth2TokenMixin):
    __tablename__ = "oauth2_token"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
