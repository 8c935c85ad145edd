"""The routes by which a shop tells what it sells: products put into the catalogue, and taken out.

A picture comes as bytes, or as a path in a folder of `server.files`; nothing is fetched.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from pydantic import model_validator as validator

from tiepoint.encoders.images import read_image
from tiepoint.errors import InputError, SchemaError
from tiepoint.types import MetadataValue, checked_id
from tiepoint_adapters.http.given_parts import GivenFile, PartReader
from tiepoint_adapters.http.service import Served, audited
from tiepoint_recommendation.types import Product

if TYPE_CHECKING:
    from tiepoint_recommendation.service import RecommendationService

_MOST = 1000
_LEAST_PIXELS = 64


def _usable(id_: str) -> str:
    try:
        return checked_id(id_.strip())
    except SchemaError as error:
        raise ValueError(error.what) from error


GivenId = Annotated[str, Field(min_length=1, max_length=512), AfterValidator(_usable)]
"""An id of a user or an item, of the same kind as files have them."""
_Words = StringConstraints(strip_whitespace=True, pattern=r"^[^\x00]*$", max_length=20_000)
_Text = Annotated[str, _Words]
_Name = Annotated[str, _Words, Field(max_length=512)]
_Number = Annotated[float, Field(allow_inf_nan=False)]


class PictureBody(BaseModel):
    """A picture: its bytes, or a path; one of them."""

    model_config = ConfigDict(extra="forbid")

    base64: str | None = Field(default=None, description="Its bytes.")
    path: str | None = Field(
        default=None, max_length=4096, description="A file in a folder of `server.files`."
    )

    @validator(mode="after")
    def _one_is_given(self) -> PictureBody:
        if (self.base64 is None) == (self.path is None):
            raise ValueError("give one of base64 and path")
        return self


class ProductBody(BaseModel):
    """A product; one of a known id is replaced, but for a picture that is not given."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "id": "lamp-7",
                    "title": "A red lamp",
                    "tags": ["home", "light"],
                    "price": 24.5,
                    "stock": 3,
                    "brand": "Lux",
                    "category": "lamp",
                    "image": {"path": "/srv/pictures/lamp-7.jpg"},
                }
            ]
        },
    )

    id: GivenId
    title: _Text = ""
    description: _Text = ""
    tags: list[_Name] = Field(default=[], max_length=200)
    image: PictureBody | None = Field(
        default=None, description="Stays as it is where it is left out; null takes it away."
    )
    price: _Number | None = None
    stock: int | None = Field(default=None, ge=-(2**31), lt=2**31, description="Pieces left.")
    brand: _Name = ""
    category: _Name = ""
    added_s: _Number | None = Field(default=None, ge=0, description="Seconds since 1970.")
    metadata: dict[_Name, MetadataValue] = Field(default={}, max_length=100)


class ProductsBody(BaseModel):
    """Products, each id once."""

    model_config = ConfigDict(extra="forbid")

    products: list[ProductBody] = Field(min_length=1, max_length=_MOST)


def product_router(service: Callable[[], RecommendationService]) -> APIRouter:
    """Return the routes of the catalogue.

    Args:
        service: Gives the service that runs.
    """
    router = APIRouter()

    @router.post("/products", summary="Put products", dependencies=[audited("put products")])
    def put(body: ProductsBody, served: Served) -> dict[str, int]:
        """Add or replace products, all or none; they are durable when this answers.

        Prices and stocks count at once; a new product is recommended after the next fit.
        """
        ids = [one.id for one in body.products]
        if len(set(ids)) < len(ids):
            twice = next(one for one in ids if ids.count(one) > 1)
            raise InputError(
                f"the id {twice!r:.120} is given twice", hint="Give every product its own id."
            )
        untold = {one.id for one in body.products if "image" not in one.model_fields_set}
        products = [_product(one, served.parts) for one in body.products]
        replaced = service().put_products(products, keep_images=untold)
        return {"added": len(ids) - replaced, "replaced": replaced}

    @router.delete(
        "/products/{item:path}",
        summary="Remove a product",
        dependencies=[audited("remove product")],
    )
    def remove(item: str) -> dict[str, bool]:
        """Take a product out of the catalogue; it is recommended no more. Its events stay."""
        return {"deleted": service().remove_products([item]) > 0}

    return router


def _product(body: ProductBody, parts: PartReader) -> Product:
    image = ""
    if body.image is not None:
        where = f"{body.id}.image"
        file = GivenFile(base64=body.image.base64, path=body.image.path)
        image = str(parts.stored(file, "image", where))
        read_image(image, least=_LEAST_PIXELS)
    told: dict[str, Any] = body.model_dump(exclude={"image", "tags"})
    return Product(**told, tags=tuple(tag for tag in body.tags if tag), image=image)
